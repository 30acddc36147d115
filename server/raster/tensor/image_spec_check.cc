#include "server/raster/tensor/image_spec_check.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "server/raster/draw/float_bits.h"
#include "server/raster/tensor/channel.h"
#include "server/raster/tensor/dtype_name.h"
#include "server/raster/tensor/pixel_writer.h"

namespace inkstream::raster {
namespace {

absl::Status Invalid(absl::string_view text) {
  return absl::InvalidArgumentError(text);
}

bool IsFloat(DType dtype) {
  return dtype == DType::kFloat16 || dtype == DType::kBFloat16 ||
         dtype == DType::kFloat32;
}

absl::Status CheckSide(absl::string_view field, uint32_t side,
                       uint32_t max_side) {
  max_side = std::min(max_side, kMaxSide);
  if (side >= 1 && side <= max_side) return absl::OkStatus();
  return Invalid(
      absl::StrCat(field, " is ", side, ": must be 1..", max_side, " pixels"));
}

absl::Status CheckChannels(const ImageSpec& spec, bool has_times) {
  const std::string offered = absl::StrJoin(OfferedChannels(has_times), ", ");
  if (spec.channels.empty()) {
    return Invalid(absl::StrCat("image.channels is []: offered are ", offered));
  }
  for (auto name = spec.channels.begin(); name != spec.channels.end(); ++name) {
    const std::optional<Channel> channel = ChannelNamed(*name);
    if (!channel.has_value()) {
      const absl::string_view nearest = NearestChannel(*name);
      return Invalid(absl::StrCat(
          "image.channels names '", absl::string_view(*name).substr(0, 40), "'",
          nearest.empty() ? "" : absl::StrCat("; nearest is ", nearest),
          ": offered are ", offered));
    }
    if (NeedsTimes(*channel) && !has_times) {
      return Invalid(absl::StrCat("image.channels names ", *name,
                                  ", but this dataset has no times: it has ",
                                  offered));
    }
    if (std::find(spec.channels.begin(), name, *name) != name) {
      return Invalid(absl::StrCat("image.channels names ", *name,
                                  " twice: each may be named once"));
    }
  }
  return absl::OkStatus();
}

// One value for all channels or one a channel, and only with floats.
absl::Status CheckCount(absl::string_view field, size_t values,
                        const ImageSpec& spec) {
  if (values == 0) return absl::OkStatus();
  if (!IsFloat(spec.dtype)) {
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

absl::Status CheckQuality(const ImageSpec& spec) {
  if (spec.quality == Quality::kFast) return absl::OkStatus();
  if (spec.quality != Quality::kExact) {
    return Invalid(absl::StrCat("image.quality is ",
                                static_cast<int>(spec.quality),
                                ": offered are fast and exact"));
  }
#ifndef INKSTREAM_EXACT
  return Invalid(
      "image.quality is exact: this server was built without Cairo and offers "
      "fast");
#endif
  if (spec.channels.size() == 1 && spec.channels[0] == "ink") {
    return absl::OkStatus();
  }
  return Invalid(absl::StrCat("image.channels is [",
                              absl::StrJoin(spec.channels, ", "),
                              "]: image.quality exact offers [ink] only, fast "
                              "offers all"));
}

}  // namespace

absl::Status CheckImageSpec(const ImageSpec& spec, uint32_t max_side,
                            bool has_times) {
  absl::Status status = CheckSide("image.height", spec.height, max_side);
  status.Update(CheckSide("image.width", spec.width, max_side));
  if (!status.ok()) return status;
  if (spec.dtype != DType::kUint8 && !IsFloat(spec.dtype)) {
    return Invalid(absl::StrCat(
        "image.dtype is ", NameOf(spec.dtype),
        ": offered are uint8 (0 ground, 255 ink), float16, bfloat16 and "
        "float32 (0..1)"));
  }
  if (spec.layout != Layout::kNchw && spec.layout != Layout::kNhwc) {
    return Invalid(absl::StrCat("image.layout is ",
                                static_cast<int>(spec.layout),
                                ": offered are NCHW and NHWC"));
  }
  if (absl::Status s = CheckChannels(spec, has_times); !s.ok()) return s;
  if (spec.fit != Fit::kCanvas && spec.fit != Fit::kBox &&
      spec.fit != Fit::kStretch) {
    return Invalid(absl::StrCat("image.fit is ", static_cast<int>(spec.fit),
                                ": offered are canvas, box and stretch"));
  }
  // Written so that NaN fails too.
  if (!(spec.line_width > 0.0F && spec.line_width <= kMaxLineWidth)) {
    return Invalid(absl::StrCat("image.line_width is ", spec.line_width,
                                ": must be above 0 and at most ", kMaxLineWidth,
                                " units of the 256 canvas"));
  }
  if (!(spec.padding >= 0.0F && spec.padding <= kMaxPadding)) {
    return Invalid(absl::StrCat("image.padding is ", spec.padding,
                                ": must be 0..", kMaxPadding,
                                " units of the 256 canvas"));
  }
  status = CheckCount("image.mean", spec.mean.size(), spec);
  status.Update(CheckCount("image.std", spec.std.size(), spec));
  if (!status.ok()) return status;
  if (IsFloat(spec.dtype)) status = CheckRange(spec);
  status.Update(CheckQuality(spec));
  return status;
}

}  // namespace inkstream::raster
