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

v1::Augment AugmentToProto(const AugmentSpec& spec) {
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

absl::StatusOr<ImageSpec> ImageFromProto(const v1::Image& image) {
  absl::Status known = CheckKnown("delivery.image", image);
  if (!known.ok()) return known;
  ImageSpec spec;
  spec.height = image.height();
  spec.width = image.width() == 0 ? image.height() : image.width();
  if (image.dtype() != v1::DTYPE_UNSPECIFIED) {
    spec.dtype = static_cast<DType>(image.dtype());
  }
  spec.layout = static_cast<Layout>(image.layout());
  if (image.channels_size() > 0) {
    spec.channels.assign(image.channels().begin(), image.channels().end());
  }
  spec.fit = static_cast<Fit>(image.fit());
  if (image.has_line_width()) spec.line_width = image.line_width();
  if (image.has_padding()) spec.padding = image.padding();
  spec.mean.assign(image.mean().begin(), image.mean().end());
  spec.std.assign(image.std().begin(), image.std().end());
  spec.quality = static_cast<Quality>(image.quality());
  return spec;
}

v1::Image ImageToProto(const ImageSpec& spec) {
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

absl::StatusOr<StrokesSpec> StrokesFromProto(const v1::Strokes& strokes) {
  absl::Status known = CheckKnown("delivery.strokes", strokes);
  if (!known.ok()) return known;
  StrokesSpec spec;
  spec.format = static_cast<StrokeFormat>(strokes.format());
  spec.max_len = strokes.max_len();
  if (strokes.has_start_token()) spec.start_token = strokes.start_token();
  spec.scale = static_cast<StrokeScale>(strokes.scale());
  spec.scale_value = strokes.scale_value();
  spec.too_long = static_cast<TooLong>(strokes.too_long());
  spec.ragged = strokes.ragged();
  if (strokes.dtype() != v1::DTYPE_UNSPECIFIED) {
    spec.dtype = static_cast<DType>(strokes.dtype());
  }
  spec.resample = strokes.resample();
  if (strokes.has_prefix()) spec.prefix = strokes.prefix();
  spec.times = strokes.times();
  return spec;
}

v1::Strokes StrokesToProto(const StrokesSpec& spec) {
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
  message.set_times(spec.times);
  return message;
}

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
