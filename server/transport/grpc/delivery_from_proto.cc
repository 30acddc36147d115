#include "server/transport/grpc/delivery_from_proto.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/transport/grpc/refused_field.h"

namespace inkstream::transport {
namespace {

constexpr uint32_t kDefaultMessageBytes = 4U << 20U;
constexpr uint32_t kMinMessageBytes = 64U << 10U;

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

absl::StatusOr<StrokesSpec> StrokesFromProto(const v1::Strokes& strokes) {
  StrokesSpec spec;
  if (!v1::Strokes::Format_IsValid(strokes.format())) {
    return UnknownEnum("delivery.strokes.format", strokes.format());
  }
  spec.format = static_cast<StrokeFormat>(strokes.format());
  spec.max_len = strokes.max_len();
  if (strokes.has_start_token()) spec.start_token = strokes.start_token();
  if (!v1::Strokes::Scale_IsValid(strokes.scale())) {
    return UnknownEnum("delivery.strokes.scale", strokes.scale());
  }
  spec.scale = static_cast<StrokeScale>(strokes.scale());
  spec.scale_value = strokes.scale_value();
  if (!v1::Strokes::TooLong_IsValid(strokes.too_long())) {
    return UnknownEnum("delivery.strokes.too_long", strokes.too_long());
  }
  spec.too_long = static_cast<TooLong>(strokes.too_long());
  spec.ragged = strokes.ragged();
  if (!v1::DType_IsValid(strokes.dtype())) {
    return UnknownEnum("delivery.strokes.dtype", strokes.dtype());
  }
  if (strokes.dtype() != v1::DTYPE_UNSPECIFIED) {
    spec.dtype = static_cast<DType>(strokes.dtype());
  }
  spec.resample = strokes.resample();
  if (strokes.has_prefix()) spec.prefix = strokes.prefix();
  return spec;
}

AugmentSpec AugmentFromProto(const v1::Augment& augment) {
  AugmentSpec spec;
  const auto read = [](bool set, const v1::Augment::Range& from, Range* to) {
    if (set) *to = {from.low(), from.high()};
  };
  read(augment.has_rotation(), augment.rotation(), &spec.rotation);
  read(augment.has_scale(), augment.scale(), &spec.scale);
  read(augment.has_scale_x(), augment.scale_x(), &spec.scale_x);
  read(augment.has_scale_y(), augment.scale_y(), &spec.scale_y);
  read(augment.has_shear(), augment.shear(), &spec.shear);
  read(augment.has_translate_x(), augment.translate_x(), &spec.translate_x);
  read(augment.has_translate_y(), augment.translate_y(), &spec.translate_y);
  spec.flip_x = augment.flip_x();
  spec.flip_y = augment.flip_y();
  spec.stroke_dropout = augment.stroke_dropout();
  spec.stroke_reorder = augment.stroke_reorder();
  spec.point_dropout = augment.point_dropout();
  spec.jitter = augment.jitter();
  read(augment.has_line_width(), augment.line_width(), &spec.line_width);
  return spec;
}

absl::Status CodecFromProto(const v1::Delivery& delivery, DeliverySpec* spec) {
  if (!v1::Codec_IsValid(delivery.codec())) {
    return absl::InvalidArgumentError(
        absl::StrCat("delivery.codec: ", static_cast<int>(delivery.codec()),
                     " is not offered by this server; offered: CODEC_NONE, "
                     "CODEC_ZSTD, CODEC_AUTO, CODEC_STROKES"));
  }
  spec->codec = static_cast<Codec>(delivery.codec());
  if (spec->codec != Codec::kStrokes) return absl::OkStatus();
  if (!spec->image.has_value()) {
    return absl::InvalidArgumentError(
        "delivery.codec: CODEC_STROKES sends images as the strokes to draw "
        "them of, and delivery.image is not set; use CODEC_ZSTD");
  }
  if (spec->image->quality == Quality::kExact) {
    return absl::InvalidArgumentError(
        "delivery.codec: CODEC_STROKES has the client draw, which gives the "
        "same bytes everywhere for QUALITY_FAST only; "
        "delivery.image.quality is QUALITY_EXACT: use CODEC_ZSTD");
  }
  return absl::OkStatus();
}

}  // namespace

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
    spec->augment = AugmentFromProto(delivery.augment());
  }
  if (delivery.views() > 0) spec->views = delivery.views();
  if (!v1::Delivery::OnCorrupt_IsValid(delivery.on_corrupt())) {
    return UnknownEnum("delivery.on_corrupt", delivery.on_corrupt());
  }
  spec->on_corrupt = static_cast<OnCorrupt>(delivery.on_corrupt());
  spec->max_bad = delivery.max_bad();
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
  status = CodecFromProto(delivery, &spec);
  if (!status.ok()) return status;
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

}  // namespace inkstream::transport
