#include "server/raster/tensor/image_spec_check.h"

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "server/raster/tensor/channel.h"
#include "server/raster/tensor/pixel_writer.h"
#ifdef INKSTREAM_EXACT
#include "server/raster/draw/cairo_library.h"
#endif

namespace inkstream::raster {
namespace {

absl::Status Invalid(absl::string_view text) {
  return absl::InvalidArgumentError(text);
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
#else
  if (spec.channels.size() != 1 || spec.channels[0] != "ink") {
    return Invalid(absl::StrCat("image.channels is [",
                                absl::StrJoin(spec.channels, ", "),
                                "]: image.quality exact offers [ink] only, "
                                "fast offers all"));
  }
  return LoadCairo().status();
#endif
}

}  // namespace

absl::Status CheckImageSpec(const ImageSpec& spec, uint32_t max_side,
                            bool has_times) {
  absl::Status status = CheckSide("image.height", spec.height, max_side);
  status.Update(CheckSide("image.width", spec.width, max_side));
  if (!status.ok()) return status;
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
  status = CheckQuality(spec);
  status.Update(CheckElements(spec));
  return status;
}

}  // namespace inkstream::raster
