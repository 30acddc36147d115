#include "server/wire/messages.h"

namespace inkstream::wire {

absl::StatusOr<ImageSpec> ImageFromProto(const v1::Image& image) {
  absl::Status known = CheckKnown("delivery.image", image);
  if (!known.ok()) return known;
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

}  // namespace inkstream::wire
