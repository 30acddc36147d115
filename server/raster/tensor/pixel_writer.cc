#include "server/raster/tensor/pixel_writer.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/raster/draw/float_bits.h"

namespace inkstream::raster {
namespace {

constexpr size_t kPixelValues = 256;
// Most of an image is ground: pixels are looked at eight at a time.
constexpr size_t kGroup = 8;

bool IsGround(const uint8_t* pixels) {
  uint64_t group;
  std::memcpy(&group, pixels, sizeof(group));
  return group == 0;
}

uint32_t ElementBits(DType dtype, float value) {
  switch (dtype) {
    case DType::kFloat16:
      return Float16Bits(value);
    case DType::kBFloat16:
      return BFloat16Bits(value);
    default:
      return std::bit_cast<uint32_t>(value);
  }
}

// The mean and std of channel `c`: a list of one holds for all channels.
float MeanOf(const ImageSpec& spec, size_t c) {
  if (spec.mean.empty()) return 0.0F;
  return spec.mean[spec.mean.size() == 1 ? 0 : c];
}

float StdOf(const ImageSpec& spec, size_t c) {
  if (spec.std.empty()) return 1.0F;
  return spec.std[spec.std.size() == 1 ? 0 : c];
}

absl::Status Invalid(absl::string_view text) {
  return absl::InvalidArgumentError(text);
}

// One value for all channels or one a channel, and only with floats.
absl::Status CheckCount(absl::string_view field, size_t values,
                        const ImageSpec& spec) {
  if (values == 0) return absl::OkStatus();
  if (spec.dtype == DType::kUint8) {
    return Invalid(absl::StrCat(field, " has ", values,
                                " values: offered with float dtypes only, "
                                "leave it out with ",
                                NameOf(spec.dtype)));
  }
  if (values == 1 || values == spec.channels.size()) return absl::OkStatus();
  return Invalid(absl::StrCat(field, " has ", values,
                              " values: must have 1 or one a channel, ",
                              spec.channels.size()));
}

// Every element must be finite in the type it is written as.
absl::Status CheckRange(const ImageSpec& spec) {
  for (size_t c = 0; c < spec.channels.size(); ++c) {
    const float mean = MeanOf(spec, c);
    const float std = StdOf(spec, c);
    if (!std::isfinite(mean)) {
      return Invalid(
          absl::StrCat("image.mean[", c, "] is ", mean, ": must be finite"));
    }
    if (!(std > 0.0F) || !std::isfinite(std)) {
      return Invalid(absl::StrCat("image.std[", c, "] is ", std,
                                  ": must be above 0 and finite"));
    }
    for (const uint8_t pixel : {uint8_t{0}, uint8_t{255}}) {
      const float value = FloatPixel(pixel, mean, std);
      const bool fits = std::isfinite(value) &&
                        (spec.dtype != DType::kFloat16 ||
                         (Float16Bits(value) & 0x7FFFU) < 0x7C00U) &&
                        (spec.dtype != DType::kBFloat16 ||
                         (BFloat16Bits(value) & 0x7FFFU) < 0x7F80U);
      if (fits) continue;
      return Invalid(
          absl::StrCat("image.mean[", c, "] ", mean, " and image.std[", c, "] ",
                       std, " make ", value, " of a pixel of ", pixel, ": ",
                       NameOf(spec.dtype), " holds at most ",
                       spec.dtype == DType::kFloat16 ? "65504" : "3.4e38"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

float FloatPixel(uint8_t pixel, float mean, float std) {
  const float share = static_cast<float>(pixel) / 255.0F;
  const float centred = share - mean;
  return centred / std;
}

const char* NameOf(DType dtype) {
  switch (dtype) {
    case DType::kUint8:
      return "uint8";
    case DType::kInt32:
      return "int32";
    case DType::kInt64:
      return "int64";
    case DType::kFloat16:
      return "float16";
    case DType::kBFloat16:
      return "bfloat16";
    case DType::kFloat32:
      return "float32";
    case DType::kBool:
      return "bool";
    case DType::kUnspecified:
      break;
  }
  return "unspecified";
}

absl::Status CheckElements(const ImageSpec& spec) {
  if (spec.dtype == DType::kUint8 || spec.dtype == DType::kFloat16 ||
      spec.dtype == DType::kBFloat16 || spec.dtype == DType::kFloat32) {
    absl::Status status = CheckCount("image.mean", spec.mean.size(), spec);
    status.Update(CheckCount("image.std", spec.std.size(), spec));
    if (!status.ok() || spec.dtype == DType::kUint8) return status;
    return CheckRange(spec);
  }
  return Invalid(absl::StrCat(
      "image.dtype is ", NameOf(spec.dtype),
      ": offered are uint8 (0 ground, 255 ink), float16, bfloat16 and float32 "
      "(0..1)"));
}

PixelWriter::PixelWriter(const ImageSpec& spec)
    : channels_(spec.channels.size()),
      pixels_(size_t{spec.height} * spec.width),
      element_bytes_(SizeOf(spec.dtype)),
      interleaved_(spec.layout == Layout::kNhwc && channels_ > 1),
      is_copy_(spec.dtype == DType::kUint8 && !interleaved_) {
  for (size_t c = 0; c < channels_; ++c) {
    for (size_t v = 0; v < kPixelValues; ++v) {
      const auto pixel = static_cast<uint8_t>(v);
      elements_.push_back(
          spec.dtype == DType::kUint8
              ? pixel
              : ElementBits(spec.dtype, FloatPixel(pixel, MeanOf(spec, c),
                                                   StdOf(spec, c))));
    }
  }
}

template <class Element>
void PixelWriter::WritePlane(const uint8_t* plane, size_t channel,
                             uint8_t* out) const {
  const uint32_t* const table = &elements_[channel * kPixelValues];
  Element ground[kGroup];
  for (Element& e : ground) e = static_cast<Element>(table[0]);
  size_t i = 0;
  for (; i + kGroup <= pixels_; i += kGroup, out += sizeof(ground)) {
    if (IsGround(plane + i)) {
      std::memcpy(out, ground, sizeof(ground));
      continue;
    }
    Element group[kGroup];
    for (size_t k = 0; k < kGroup; ++k) {
      group[k] = static_cast<Element>(table[plane[i + k]]);
    }
    std::memcpy(out, group, sizeof(group));
  }
  for (; i < pixels_; ++i, out += sizeof(Element)) {
    const auto element = static_cast<Element>(table[plane[i]]);
    std::memcpy(out, &element, sizeof(element));
  }
}

template <class Element>
void PixelWriter::WriteInterleaved(const uint8_t* planes, uint8_t* out) const {
  const size_t step = channels_ * sizeof(Element);
  for (size_t c = 0; c < channels_; ++c) {
    const uint8_t* const plane = planes + c * pixels_;
    const uint32_t* const table = &elements_[c * kPixelValues];
    uint8_t* to = out + c * sizeof(Element);
    for (size_t i = 0; i < pixels_; ++i, to += step) {
      const auto element = static_cast<Element>(table[plane[i]]);
      std::memcpy(to, &element, sizeof(element));
    }
  }
}

template <class Element>
void PixelWriter::WriteElements(const uint8_t* planes, uint8_t* out) const {
  if (interleaved_) return WriteInterleaved<Element>(planes, out);
  for (size_t c = 0; c < channels_; ++c) {
    WritePlane<Element>(planes + c * pixels_, c,
                        out + c * pixels_ * sizeof(Element));
  }
}

void PixelWriter::Write(const uint8_t* planes, uint8_t* out) const {
  if (is_copy_) {
    std::memcpy(out, planes, image_bytes());
  } else if (element_bytes_ == 1) {
    WriteElements<uint8_t>(planes, out);
  } else if (element_bytes_ == 2) {
    WriteElements<uint16_t>(planes, out);
  } else {
    WriteElements<uint32_t>(planes, out);
  }
}

}  // namespace inkstream::raster
