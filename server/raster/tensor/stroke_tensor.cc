#include "server/raster/tensor/stroke_tensor.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "server/raster/draw/float_bits.h"
#include "server/raster/tensor/pixel_writer.h"

namespace inkstream::raster {
namespace {

constexpr size_t kEndColumn = 4;  // of stroke5
constexpr float kMillisASecond = 1000;

struct Half {
  uint16_t bits;

  explicit Half(float value) : bits(Float16Bits(value)) {}
};

template <typename Element>
void Put(float value, uint8_t*& out) {
  const Element element(value);
  std::memcpy(out, &element, sizeof(element));
  out += sizeof(element);
}

absl::Status Invalid(absl::string_view field, absl::string_view rest) {
  return absl::InvalidArgumentError(absl::StrCat("strokes.", field, rest));
}

}  // namespace

StrokeTensor::StrokeTensor(const StrokesSpec& spec, float divisor)
    : spec_(spec),
      factor_(1.0F / divisor),
      columns_((spec.format == StrokeFormat::kStroke5 ? 5U : 3U) +
               (spec.times ? 1U : 0U)),
      start_rows_(
          spec.start_token.value_or(spec.format == StrokeFormat::kStroke5)
              ? 1
              : 0) {}

absl::StatusOr<StrokeTensor> StrokeTensor::Create(const StrokesSpec& spec,
                                                  double dataset_std,
                                                  uint32_t max_len_limit) {
  if (spec.max_len < 1 || spec.max_len > max_len_limit) {
    return Invalid("max_len",
                   absl::StrCat(" is ", spec.max_len, "; the limit is 1 to ",
                                max_len_limit, " points"));
  }
  if (spec.dtype != DType::kFloat32 && spec.dtype != DType::kFloat16) {
    return Invalid("dtype", absl::StrCat(" is ", NameOf(spec.dtype),
                                         "; offered are float32 and float16"));
  }
  if (!(spec.prefix > 0 && spec.prefix <= 1)) {
    return Invalid("prefix", absl::StrCat(" is ", spec.prefix,
                                          "; the limit is above 0 to 1"));
  }
  if (!(spec.resample >= 0 && spec.resample <= 256)) {
    return Invalid("resample",
                   absl::StrCat(" is ", spec.resample,
                                "; the limit is 0 (off) to 256 units"));
  }
  if (!(spec.scale_value >= 0 && spec.scale_value <= 1e6)) {
    return Invalid("scale_value", absl::StrCat(" is ", spec.scale_value,
                                               "; the limit is 0 (unset) to "
                                               "1000000"));
  }
  double divisor = 1;
  if (spec.scale_value > 0) {
    divisor = spec.scale_value;
  } else if (spec.scale == StrokeScale::kUnit) {
    divisor = 255;
  } else if (spec.scale == StrokeScale::kDataset) {
    if (!(dataset_std > 0)) {
      return Invalid("scale",
                     " is \"dataset\", but this store keeps no standard "
                     "deviation of its offsets; offered are none, unit and a "
                     "number");
    }
    divisor = dataset_std;
  }
  return StrokeTensor(spec, static_cast<float>(divisor));
}

absl::StatusOr<StrokeTensor::Extent> StrokeTensor::Load(
    const StrokesView& strokes) {
  x_.clear();
  y_.clear();
  t_.clear();
  lifted_.clear();
  if (spec_.resample > 0) {
    Resample(strokes);
  } else {
    x_.assign(strokes.x.begin(), strokes.x.end());
    y_.assign(strokes.y.begin(), strokes.y.end());
    if (spec_.times) t_.assign(strokes.t.begin(), strokes.t.end());
    lifted_.assign(x_.size(), 0);
    for (const uint32_t end : strokes.stroke_ends) lifted_[end - 1] = 1;
  }
  if (spec_.times) t_.resize(x_.size(), 0);
  size_t length = x_.size();
  if (spec_.prefix < 1) {
    length = static_cast<size_t>(std::ceil(static_cast<double>(spec_.prefix) *
                                           static_cast<double>(length)));
  }
  Extent extent;
  if (length > spec_.max_len) {
    if (spec_.too_long == TooLong::kError) {
      return absl::OutOfRangeError(absl::StrCat("the drawing has ", length,
                                                " points; strokes.max_len is ",
                                                spec_.max_len));
    }
    extent.dropped = spec_.too_long == TooLong::kDrop;
    length = extent.dropped ? 0 : spec_.max_len;
  }
  length_ = static_cast<uint32_t>(length);
  extent.length = length_;
  extent.rows = length_ + start_rows_;
  return extent;
}

// First point, then points `resample` apart along the stroke, then the last.
void StrokeTensor::Resample(const StrokesView& strokes) {
  const double spacing = spec_.resample;
  const bool times = spec_.times && !strokes.t.empty();
  for (size_t s = 0; s < strokes.strokes(); ++s) {
    const size_t begin = strokes.begin(s);
    const size_t end = strokes.end(s);
    x_.push_back(strokes.x[begin]);
    y_.push_back(strokes.y[begin]);
    if (times) t_.push_back(strokes.t[begin]);
    double travelled = 0;
    double next = spacing;
    for (size_t i = begin + 1; i < end; ++i) {
      const double ax = strokes.x[i - 1], ay = strokes.y[i - 1];
      const double dx = strokes.x[i] - ax, dy = strokes.y[i] - ay;
      const double length = std::sqrt(dx * dx + dy * dy);
      // One beyond the limit is enough to know that it is too long.
      while (length > 0 && next < travelled + length &&
             x_.size() <= spec_.max_len) {
        const double along = (next - travelled) / length;
        x_.push_back(static_cast<float>(ax + along * dx));
        y_.push_back(static_cast<float>(ay + along * dy));
        if (times) {
          const double from = strokes.t[i - 1];
          t_.push_back(
              static_cast<float>(from + along * (strokes.t[i] - from)));
        }
        next += spacing;
      }
      travelled += length;
    }
    if (end > begin + 1) {
      x_.push_back(strokes.x[end - 1]);
      y_.push_back(strokes.y[end - 1]);
      if (times) t_.push_back(strokes.t[end - 1]);
    }
    lifted_.resize(x_.size(), 0);
    lifted_.back() = 1;
  }
}

template <typename Element>
void StrokeTensor::WriteRows(uint8_t* out) const {
  const bool five = spec_.format == StrokeFormat::kStroke5;
  const bool offsets = spec_.format != StrokeFormat::kPoints;
  if (start_rows_ == 1) {
    const float start[6] = {0, 0, five ? 1.0F : 0.0F};
    for (uint32_t c = 0; c < columns_; ++c) Put<Element>(start[c], out);
  }
  float from_x = 0, from_y = 0;
  for (uint32_t i = 0; i < length_; ++i) {
    Put<Element>((x_[i] - from_x) * factor_, out);
    Put<Element>((y_[i] - from_y) * factor_, out);
    const float lifted = lifted_[i];
    if (five) Put<Element>(1 - lifted, out);
    Put<Element>(lifted, out);
    if (five) Put<Element>(0, out);
    if (spec_.times) Put<Element>(t_[i] / kMillisASecond, out);
    if (offsets) {
      from_x = x_[i];
      from_y = y_[i];
    }
  }
}

void StrokeTensor::WriteRagged(uint8_t* out) const {
  if (spec_.dtype == DType::kFloat16) {
    WriteRows<Half>(out);
  } else {
    WriteRows<float>(out);
  }
}

void StrokeTensor::WritePadded(uint8_t* out) const {
  WriteRagged(out);
  const size_t row_bytes = columns_ * element_bytes();
  const size_t written = size_t{length_ + start_rows_} * row_bytes;
  std::memset(out + written, 0, padded_bytes() - written);
  if (spec_.format != StrokeFormat::kStroke5) return;
  for (uint32_t row = length_ + start_rows_; row < padded_rows(); ++row) {
    uint8_t* end = out + row * row_bytes + kEndColumn * element_bytes();
    if (spec_.dtype == DType::kFloat16) {
      Put<Half>(1, end);
    } else {
      Put<float>(1, end);
    }
  }
}

}  // namespace inkstream::raster
