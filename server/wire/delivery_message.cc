#include <utility>

#include "absl/strings/str_cat.h"
#include "server/wire/messages.h"

namespace inkstream::wire {
namespace {

constexpr uint32_t kDefaultMessageBytes = 4U << 20U;
constexpr uint32_t kMinMessageBytes = 64U << 10U;

absl::Status CodecFromProto(const v1::Delivery& delivery, DeliverySpec* spec) {
  if (!v1::Codec_IsValid(delivery.codec())) {
    return absl::InvalidArgumentError(
        absl::StrCat("delivery.codec: ", static_cast<int>(delivery.codec()),
                     " is not offered by this server; offered: CODEC_NONE, "
                     "CODEC_STROKES"));
  }
  spec->codec = static_cast<Codec>(delivery.codec());
  return absl::OkStatus();
}

}  // namespace

absl::Status UnknownEnum(absl::string_view field, int value) {
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": ", value,
                   " is not a value of this server's "
                   "contract; update the server or leave the field out"));
}

absl::Status TensorsFromProto(const v1::Delivery& delivery,
                              DeliverySpec* spec) {
  if (delivery.has_image()) {
    absl::StatusOr<ImageSpec> image = ImageFromProto(delivery.image());
    if (!image.ok()) return image.status();
    spec->image = *std::move(image);
  }
  if (delivery.has_strokes()) {
    absl::StatusOr<StrokesSpec> strokes = StrokesFromProto(delivery.strokes());
    if (!strokes.ok()) return strokes.status();
    spec->strokes = *strokes;
  }
  if (delivery.has_augment()) {
    absl::Status known = CheckKnown("delivery.augment", delivery.augment());
    if (!known.ok()) return known;
    spec->augment = AugmentFromProto(delivery.augment());
  }
  if (delivery.views() > 0) spec->views = delivery.views();
  if (!v1::Delivery::OnCorrupt_IsValid(delivery.on_corrupt())) {
    return UnknownEnum("delivery.on_corrupt", delivery.on_corrupt());
  }
  spec->on_corrupt = static_cast<OnCorrupt>(delivery.on_corrupt());
  spec->max_bad = delivery.max_bad();
  spec->columns.assign(delivery.columns().begin(), delivery.columns().end());
  if (delivery.has_ignore_index()) spec->ignore_index = delivery.ignore_index();
  return CodecFromProto(delivery, spec);
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

v1::Delivery DeliveryToProto(const DeliverySpec& spec,
                             uint32_t max_message_bytes) {
  v1::Delivery message;
  if (spec.image.has_value()) {
    *message.mutable_image() = ImageToProto(*spec.image);
  }
  if (spec.strokes.has_value()) {
    *message.mutable_strokes() = StrokesToProto(*spec.strokes);
  }
  if (spec.augment.has_value()) {
    *message.mutable_augment() = AugmentToProto(*spec.augment);
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
  // Whether it can be had, the server says.
  message.set_codec(spec.codec == Codec::kAuto
                        ? v1::CODEC_STROKES
                        : static_cast<v1::Codec>(spec.codec));
  message.set_max_message_bytes(max_message_bytes);
  return message;
}

}  // namespace inkstream::wire
