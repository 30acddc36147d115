#include "server/wire/messages.h"

namespace inkstream::wire {

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

}  // namespace inkstream::wire
