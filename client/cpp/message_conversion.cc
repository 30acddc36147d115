#include "client/cpp/message_conversion.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

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

template <typename Repeated>
std::vector<std::string> Strings(const Repeated& strings) {
  return {strings.begin(), strings.end()};
}

}  // namespace

DType DTypeOf(v1::DType dtype) {
  return v1::DType_IsValid(dtype) ? static_cast<DType>(dtype)
                                  : DType::kUnspecified;
}

Cursor CursorOf(const v1::Cursor& message) {
  Cursor cursor;
  cursor.version = message.version();
  cursor.fingerprint = message.fingerprint();
  cursor.plan_hash = message.plan_hash();
  cursor.order_plan = message.order_plan();
  cursor.seed = message.seed();
  cursor.epoch = message.epoch();
  cursor.position = message.position();
  return cursor;
}

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

StreamInfo StreamInfoOf(const v1::StreamOpened& message) {
  StreamInfo info;
  info.dataset = message.dataset();
  info.start = CursorOf(message.cursor());
  info.view_size = message.view_size();
  info.steps_per_epoch = message.steps_per_epoch();
  info.raster_version = message.raster_version();
  info.vocabulary = Strings(message.vocabulary());
  info.shared_memory = message.transport() == v1::TRANSPORT_SHM;
  info.transport_reason = message.transport_reason();
  info.codec = static_cast<Codec>(message.codec());
  info.codec_reason = message.codec_reason();
  return info;
}

PlanReport PlanReportOf(const v1::ExplainPlanResponse& message) {
  PlanReport report;
  report.dataset = message.dataset();
  report.start = CursorOf(message.cursor());
  report.view_drawings = message.view_drawings();
  report.epoch_drawings = message.epoch_drawings();
  report.steps_per_epoch = message.steps_per_epoch();
  report.steps_left = message.steps_left();
  report.step_drawings = message.step_drawings();
  report.batch_bytes = message.batch_bytes();
  for (const auto& component : message.components()) {
    report.components.push_back(
        {component.name(), component.drawings(), component.positions()});
  }
  for (const v1::PlannedStep& planned : message.steps()) {
    PlanReport::Step& step = report.steps.emplace_back();
    step.epoch = planned.epoch();
    step.step = planned.step();
    step.position = planned.position();
    step.cursor = CursorOf(planned.cursor());
    // Sent once; a cursor that is kept should be able to explain itself.
    step.cursor.order_plan = report.start.order_plan;
    step.indices.assign(planned.index().begin(), planned.index().end());
    step.occurrences.assign(planned.occurrence().begin(),
                            planned.occurrence().end());
    step.valid_rows = planned.valid_rows();
    step.bytes = planned.bytes();
  }
  return report;
}

DatasetInfo DatasetInfoOf(const v1::DescribeDatasetResponse& message) {
  DatasetInfo info;
  info.dataset = message.dataset();
  info.fingerprint = message.fingerprint();
  info.generation = message.generation();
  info.drawings = message.drawings();
  info.view_drawings = message.view_drawings();
  for (const v1::Split& split : message.splits()) {
    info.splits.push_back(
        {split.name(), split.drawings(), split.rule(), split.delta_std()});
  }
  for (const v1::ClassCount& count : message.classes()) {
    info.classes.push_back({count.word(), count.drawings()});
  }
  for (const v1::Column& column : message.columns()) {
    info.columns.push_back({column.name(), DTypeOf(column.dtype()),
                            column.present(), column.description()});
  }
  info.raster_version = message.raster_version();
  info.tensors = Strings(message.tensors());
  for (const int dtype : message.image_dtypes()) {
    info.image_dtypes.push_back(DTypeOf(static_cast<v1::DType>(dtype)));
  }
  info.channels = Strings(message.channels());
  const v1::Limits& limits = message.limits();
  info.limits.max_image_side = limits.max_image_side();
  info.limits.max_batch_size = limits.max_batch_size();
  info.limits.max_batch_bytes = limits.max_batch_bytes();
  info.limits.max_stroke_len = limits.max_stroke_len();
  info.limits.max_views = limits.max_views();
  info.limits.max_fetch_indices = limits.max_fetch_indices();
  info.limits.max_credits = limits.max_credits();
  info.limits.max_world = limits.max_world();
  info.limits.max_streams = limits.max_streams();
  info.limits.max_streams_per_connection = limits.max_streams_per_connection();
  info.limits.max_request_bytes = limits.max_request_bytes();
  info.limits.max_keys = limits.max_keys();
  info.limits.memory_bytes = limits.memory_bytes();
  info.server_version = message.server_version();
  info.recommended_window = message.recommended_window();
  return info;
}

Batch::Content ContentOf(ReceivedBatch batch) {
  const v1::BatchHeader& message = batch.header;
  Batch::Content content;
  content.data = std::move(batch.bytes);
  content.sequence = message.batch_seq();
  content.epoch = message.epoch();
  content.step = message.step();
  content.bad = message.bad();
  content.cursor = CursorOf(message.cursor());
  content.byte_size = message.byte_size();
  for (const v1::Tensor& tensor : message.tensors()) {
    content.tensors.push_back({tensor.name(),
                               DTypeOf(tensor.dtype()),
                               {tensor.shape().begin(), tensor.shape().end()},
                               tensor.offset(),
                               tensor.length()});
    content.vocabularies.push_back(Strings(tensor.vocabulary()));
  }
  return content;
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
