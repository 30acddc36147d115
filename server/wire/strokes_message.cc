#include "server/wire/messages.h"

namespace inkstream::wire {

absl::StatusOr<StrokesSpec> StrokesFromProto(const v1::Strokes& strokes) {
  absl::Status known = CheckKnown("delivery.strokes", strokes);
  if (!known.ok()) return known;
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

}  // namespace inkstream::wire
