#include "client/cpp/request_messages.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace inkstream::client {
namespace {

v1::Image ToMessage(const ImageSpec& spec) {
  v1::Image message;
  message.set_height(spec.height);
  message.set_width(spec.width);
  message.set_dtype(static_cast<v1::DType>(spec.dtype));
  message.set_layout(static_cast<v1::Image::Layout>(spec.layout));
  message.mutable_channels()->Assign(spec.channels.begin(),
                                     spec.channels.end());
  message.set_fit(static_cast<v1::Image::Fit>(spec.fit));
  message.set_line_width(spec.line_width);
  message.set_padding(spec.padding);
  message.mutable_mean()->Assign(spec.mean.begin(), spec.mean.end());
  message.mutable_std()->Assign(spec.std.begin(), spec.std.end());
  message.set_quality(static_cast<v1::Image::Quality>(spec.quality));
  return message;
}

v1::Strokes ToMessage(const StrokesSpec& spec) {
  v1::Strokes message;
  message.set_format(static_cast<v1::Strokes::Format>(spec.format));
  message.set_max_len(spec.max_len);
  if (spec.start_token.has_value()) {
    message.set_start_token(*spec.start_token);
  }
  message.set_scale(static_cast<v1::Strokes::Scale>(spec.scale));
  message.set_scale_value(spec.scale_value);
  message.set_too_long(static_cast<v1::Strokes::TooLong>(spec.too_long));
  message.set_ragged(spec.ragged);
  message.set_dtype(static_cast<v1::DType>(spec.dtype));
  message.set_resample(spec.resample);
  message.set_prefix(spec.prefix);
  return message;
}

v1::Augment ToMessage(const AugmentSpec& spec) {
  v1::Augment message;
  const auto write = [](Range from, v1::Augment::Range* to) {
    to->set_low(from.low);
    to->set_high(from.high);
  };
  write(spec.rotation, message.mutable_rotation());
  write(spec.scale, message.mutable_scale());
  write(spec.scale_x, message.mutable_scale_x());
  write(spec.scale_y, message.mutable_scale_y());
  write(spec.shear, message.mutable_shear());
  write(spec.translate_x, message.mutable_translate_x());
  write(spec.translate_y, message.mutable_translate_y());
  message.set_flip_x(spec.flip_x);
  message.set_flip_y(spec.flip_y);
  message.set_stroke_dropout(spec.stroke_dropout);
  message.set_stroke_reorder(spec.stroke_reorder);
  message.set_point_dropout(spec.point_dropout);
  message.set_jitter(spec.jitter);
  write(spec.line_width, message.mutable_line_width());
  return message;
}

v1::Delivery ToMessage(const DeliverySpec& spec, uint32_t max_message_bytes) {
  v1::Delivery message;
  if (spec.image.has_value()) {
    *message.mutable_image() = ToMessage(*spec.image);
  }
  if (spec.strokes.has_value()) {
    *message.mutable_strokes() = ToMessage(*spec.strokes);
  }
  if (spec.augment.has_value()) {
    *message.mutable_augment() = ToMessage(*spec.augment);
  }
  message.set_views(spec.views);
  message.mutable_columns()->Assign(spec.columns.begin(), spec.columns.end());
  message.set_ignore_index(spec.ignore_index);
  message.set_batch_size(spec.batch_size);
  message.set_rank(spec.rank);
  message.set_world(spec.world);
  message.set_tail(static_cast<v1::Tail>(spec.tail));
  if (spec.epochs.has_value()) {
    message.set_epochs(*spec.epochs);
  } else {
    message.set_forever(true);
  }
  message.set_step_offset(spec.step_offset);
  message.set_step_stride(spec.step_stride);
  message.set_max_batches(spec.max_batches);
  message.set_on_corrupt(static_cast<v1::Delivery::OnCorrupt>(spec.on_corrupt));
  message.set_max_bad(spec.max_bad);
  message.set_transport(v1::TRANSPORT_GRPC);
  message.set_codec(static_cast<v1::Codec>(spec.codec));
  message.set_max_message_bytes(max_message_bytes);
  return message;
}

}  // namespace

absl::Status CheckPlan(const Plan& plan) {
  const DeliverySpec& delivery = plan.delivery;
  const auto zero = [](absl::string_view field) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, " = 0; it must be at least 1"));
  };
  if (delivery.batch_size == 0) {
    return zero("delivery.batch_size");
  }
  if (delivery.world == 0) {
    return zero("delivery.world");
  }
  if (delivery.step_stride == 0) {
    return zero("delivery.step_stride");
  }
  if (delivery.epochs == std::optional<uint64_t>(0)) {
    return zero("delivery.epochs");
  }
  if (delivery.views == 0) {
    return zero("delivery.views");
  }
  if (delivery.image.has_value() && delivery.image->width == 0) {
    return zero("delivery.image.width");
  }
  return absl::OkStatus();
}

v1::Cursor ToMessage(const Cursor& cursor) {
  v1::Cursor message;
  message.set_version(cursor.version);
  message.set_fingerprint(cursor.fingerprint);
  message.set_plan_hash(cursor.plan_hash);
  message.set_order_plan(cursor.order_plan);
  message.set_seed(cursor.seed);
  message.set_epoch(cursor.epoch);
  message.set_position(cursor.position);
  return message;
}

v1::View ToMessage(const View& view) {
  v1::View message;
  message.set_split(view.split);
  message.mutable_classes()->Assign(view.classes.begin(), view.classes.end());
  for (const WhereTerm& term : view.where) {
    v1::Where* const where = message.add_where();
    where->set_column(term.column);
    where->set_op(static_cast<v1::Where::Op>(term.op));
    where->mutable_values()->Assign(term.values.begin(), term.values.end());
  }
  message.set_max_per_class(view.max_per_class);
  if (view.fraction != 1) message.set_fraction(view.fraction);
  message.set_include_keys(view.include_keys);
  message.set_exclude_keys(view.exclude_keys);
  if (view.fold.has_value()) {
    v1::View::Fold* const fold = message.mutable_fold();
    fold->set_index(view.fold->index);
    fold->set_count(view.fold->count);
    fold->set_held_out(view.fold->held_out);
  }
  return message;
}

v1::Order ToMessage(const OrderSpec& order) {
  v1::Order message;
  message.set_seed(order.seed);
  message.set_shuffle(static_cast<v1::Order::Shuffle>(order.shuffle));
  message.set_window(order.shuffle_window);
  const Sampling& sampling = order.sampling;
  v1::Order::Sampling* const to = message.mutable_sampling();
  switch (sampling.kind) {
    case SamplingKind::kUniform:
      message.clear_sampling();
      break;
    case SamplingKind::kBalanced:
      to->mutable_balanced()->set_alpha(sampling.alpha);
      break;
    case SamplingKind::kWeights:
      to->mutable_weights()->mutable_weights()->Assign(sampling.weights.begin(),
                                                       sampling.weights.end());
      break;
    case SamplingKind::kMix:
      to->mutable_mix()->mutable_weights()->Assign(sampling.weights.begin(),
                                                   sampling.weights.end());
      for (const View& view : sampling.views) {
        *to->mutable_mix()->add_views() = ToMessage(view);
      }
      break;
  }
  return message;
}

v1::StreamBatchesRequest OpenRequest(const Plan& plan, uint32_t credits,
                                     uint32_t max_message_bytes) {
  v1::StreamBatchesRequest message;
  message.set_dataset(plan.dataset);
  message.set_credits(credits);
  v1::StreamBatchesRequest::Open* open = message.mutable_open();
  *open->mutable_view() = ToMessage(plan.view);
  *open->mutable_order() = ToMessage(plan.order);
  *open->mutable_delivery() = ToMessage(plan.delivery, max_message_bytes);
  if (plan.start.has_value()) {
    *open->mutable_cursor() = ToMessage(*plan.start);
  }
  open->set_fingerprint(plan.fingerprint);
  return message;
}

v1::ExplainPlanRequest ToMessage(const Plan& plan, const StepQuery& query,
                                 uint32_t max_message_bytes) {
  v1::ExplainPlanRequest message;
  message.set_dataset(plan.dataset);
  *message.mutable_open() =
      std::move(*OpenRequest(plan, 0, max_message_bytes).mutable_open());
  message.set_epoch(query.epoch);
  message.set_step(query.first);
  message.set_steps(query.count);
  message.set_all_ranks(query.all_ranks);
  return message;
}

v1::FetchDrawingsRequest ToMessage(const FetchRequest& request,
                                   uint32_t max_message_bytes) {
  v1::FetchDrawingsRequest message;
  message.set_dataset(request.dataset);
  message.set_fingerprint(request.fingerprint);
  if (request.view != View{}) {
    *message.mutable_view() = ToMessage(request.view);
  }
  message.mutable_index()->Assign(request.indices.begin(),
                                  request.indices.end());
  message.mutable_rank()->Assign(request.ranks.begin(), request.ranks.end());
  message.mutable_key_id()->Assign(request.key_ids.begin(),
                                   request.key_ids.end());
  DeliverySpec delivery;
  delivery.image = request.image;
  delivery.strokes = request.strokes;
  delivery.augment = request.augment;
  delivery.views = request.views;
  delivery.columns = request.columns;
  delivery.ignore_index = request.ignore_index;
  *message.mutable_delivery() = ToMessage(delivery, max_message_bytes);
  message.mutable_order()->set_seed(request.seed);
  message.set_epoch(request.epoch);
  message.set_augment_view(request.first_view);
  return message;
}

}  // namespace inkstream::client
