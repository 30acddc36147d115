#include "server/transport/grpc/plan_from_proto.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace inkstream::transport {
namespace {

constexpr uint32_t kDefaultMessageBytes = 4U << 20U;
constexpr uint32_t kMinMessageBytes = 64U << 10U;

absl::Status NotOffered(absl::string_view field, absl::string_view offered) {
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": not offered by this server; offered: ", offered));
}

absl::Status UnknownEnum(absl::string_view field, int value) {
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": ", value,
                   " is not a value of this server's "
                   "contract; update the server or leave the field out"));
}

absl::StatusOr<ImageSpec> ImageFromProto(const v1::Image& image) {
  ImageSpec spec;
  spec.height = image.height();
  spec.width = image.width() == 0 ? image.height() : image.width();
  if (!v1::DType_IsValid(image.dtype())) {
    return UnknownEnum("delivery.image.dtype", image.dtype());
  }
  if (image.dtype() != v1::DTYPE_UNSPECIFIED) {
    spec.dtype = static_cast<DType>(image.dtype());
  }
  if (!v1::Image::Layout_IsValid(image.layout())) {
    return UnknownEnum("delivery.image.layout", image.layout());
  }
  spec.layout = static_cast<Layout>(image.layout());
  if (image.channels_size() > 0) {
    spec.channels.assign(image.channels().begin(), image.channels().end());
  }
  if (!v1::Image::Fit_IsValid(image.fit())) {
    return UnknownEnum("delivery.image.fit", image.fit());
  }
  spec.fit = static_cast<Fit>(image.fit());
  if (image.has_line_width()) spec.line_width = image.line_width();
  if (image.has_padding()) spec.padding = image.padding();
  spec.mean.assign(image.mean().begin(), image.mean().end());
  spec.std.assign(image.std().begin(), image.std().end());
  if (!v1::Image::Quality_IsValid(image.quality())) {
    return UnknownEnum("delivery.image.quality", image.quality());
  }
  spec.quality = static_cast<Quality>(image.quality());
  return spec;
}

absl::StatusOr<OrderSpec> OrderFromProto(const v1::Order& order) {
  OrderSpec spec;
  spec.seed = order.seed();
  if (!v1::Order::Shuffle_IsValid(order.shuffle())) {
    return UnknownEnum("order.shuffle", order.shuffle());
  }
  spec.shuffle = static_cast<ShuffleKind>(order.shuffle());
  spec.shuffle_window = order.window();
  if (order.has_sampling() &&
      order.sampling().kind_case() != v1::Order::Sampling::KIND_NOT_SET) {
    return NotOffered("order.sampling", "uniform (leave it out)");
  }
  return spec;
}

// What both streams and fetches have of a delivery.
absl::Status TensorsFromProto(const v1::Delivery& delivery,
                              DeliverySpec* spec) {
  if (delivery.has_image()) {
    absl::StatusOr<ImageSpec> image = ImageFromProto(delivery.image());
    if (!image.ok()) return image.status();
    spec->image = *std::move(image);
  }
  if (delivery.has_strokes()) return NotOffered("delivery.strokes", "image");
  if (delivery.has_augment()) {
    return NotOffered("delivery.augment", "drawings as they are");
  }
  if (delivery.views() > 1) return NotOffered("delivery.views", "1");
  if (delivery.codec() != v1::CODEC_NONE) {
    return NotOffered("delivery.codec", "CODEC_NONE");
  }
  if (delivery.on_corrupt() != v1::Delivery::ON_CORRUPT_FAIL) {
    return NotOffered("delivery.on_corrupt", "ON_CORRUPT_FAIL");
  }
  if (!v1::Transport_IsValid(delivery.transport())) {
    return UnknownEnum("delivery.transport", delivery.transport());
  }
  spec->columns.assign(delivery.columns().begin(), delivery.columns().end());
  if (delivery.has_ignore_index()) spec->ignore_index = delivery.ignore_index();
  return absl::OkStatus();
}

absl::StatusOr<DeliverySpec> DeliveryFromProto(const v1::Delivery& delivery) {
  DeliverySpec spec;
  absl::Status status = TensorsFromProto(delivery, &spec);
  if (!status.ok()) return status;
  if (delivery.batch_size() > 0) spec.batch_size = delivery.batch_size();
  spec.rank = delivery.rank();
  if (delivery.world() > 0) spec.world = delivery.world();
  if (!v1::Tail_IsValid(delivery.tail())) {
    return UnknownEnum("delivery.tail", delivery.tail());
  }
  spec.tail = static_cast<Tail>(delivery.tail());
  if (delivery.epochs() > 0) spec.epochs = delivery.epochs();
  if (delivery.forever()) spec.epochs = std::nullopt;
  spec.step_offset = delivery.step_offset();
  if (delivery.step_stride() > 0) spec.step_stride = delivery.step_stride();
  spec.max_batches = delivery.max_batches();
  return spec;
}

Cursor CursorFromProto(const v1::Cursor& proto) {
  Cursor cursor;
  cursor.version = proto.version();
  cursor.fingerprint = proto.fingerprint();
  cursor.plan_hash = proto.plan_hash();
  cursor.order_plan = proto.order_plan();
  cursor.seed = proto.seed();
  cursor.epoch = proto.epoch();
  cursor.position = proto.position();
  return cursor;
}

}  // namespace

absl::StatusOr<View> ViewFromProto(const v1::View& view) {
  constexpr char kOffered[] = "split, classes";
  if (view.where_size() > 0) return NotOffered("view.where", kOffered);
  if (view.max_per_class() > 0) {
    return NotOffered("view.max_per_class", kOffered);
  }
  if (view.fraction() != 0 && view.fraction() != 1) {
    return NotOffered("view.fraction", kOffered);
  }
  if (!view.include_keys().empty()) {
    return NotOffered("view.include_keys", kOffered);
  }
  if (!view.exclude_keys().empty()) {
    return NotOffered("view.exclude_keys", kOffered);
  }
  if (view.has_fold()) return NotOffered("view.fold", kOffered);
  View plain;
  plain.split = view.split();
  plain.classes.assign(view.classes().begin(), view.classes().end());
  return plain;
}

absl::StatusOr<Plan> PlanFromProto(const v1::StreamBatchesRequest& request) {
  const v1::StreamBatchesRequest::Open& open = request.open();
  Plan plan;
  plan.dataset = request.dataset();
  plan.fingerprint = open.fingerprint();
  absl::StatusOr<View> view = ViewFromProto(open.view());
  if (!view.ok()) return view.status();
  plan.view = *std::move(view);
  absl::StatusOr<OrderSpec> order = OrderFromProto(open.order());
  if (!order.ok()) return order.status();
  plan.order = *order;
  absl::StatusOr<DeliverySpec> delivery = DeliveryFromProto(open.delivery());
  if (!delivery.ok()) return delivery.status();
  plan.delivery = *std::move(delivery);
  if (open.has_cursor()) plan.start = CursorFromProto(open.cursor());
  return plan;
}

absl::StatusOr<batch::FetchPlan> FetchPlanFromProto(
    const v1::FetchDrawingsRequest& request) {
  batch::FetchPlan plan;
  plan.dataset = request.dataset();
  plan.fingerprint = request.fingerprint();
  absl::StatusOr<View> view = ViewFromProto(request.view());
  if (!view.ok()) return view.status();
  plan.view = *std::move(view);
  plan.indices.assign(request.index().begin(), request.index().end());
  plan.ranks.assign(request.rank().begin(), request.rank().end());
  plan.key_ids.assign(request.key_id().begin(), request.key_id().end());
  absl::Status status = TensorsFromProto(request.delivery(), &plan.delivery);
  if (!status.ok()) return status;
  return plan;
}

absl::StatusOr<uint32_t> MaxMessageBytes(const v1::Delivery& delivery) {
  const uint32_t bytes = delivery.max_message_bytes();
  if (bytes == 0) return kDefaultMessageBytes;
  if (bytes < kMinMessageBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "delivery.max_message_bytes: ", bytes, " is less than ",
        kMinMessageBytes, ", the smallest message this server cuts to"));
  }
  return bytes;
}

void CursorToProto(const Cursor& cursor, v1::Cursor* proto) {
  proto->set_version(cursor.version);
  proto->set_fingerprint(cursor.fingerprint);
  proto->set_plan_hash(cursor.plan_hash);
  proto->set_order_plan(cursor.order_plan);
  proto->set_seed(cursor.seed);
  proto->set_epoch(cursor.epoch);
  proto->set_position(cursor.position);
}

}  // namespace inkstream::transport
