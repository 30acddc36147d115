#include "server/raster/image_spec_check.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace inkstream::raster {
namespace {

absl::Status Invalid(absl::string_view text) {
  return absl::InvalidArgumentError(text);
}

absl::string_view NameOf(DType dtype) {
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

absl::Status CheckSide(absl::string_view field, uint32_t side,
                       uint32_t max_side) {
  if (side >= 1 && side <= max_side) return absl::OkStatus();
  return Invalid(
      absl::StrCat(field, " is ", side, ": must be 1..", max_side, " pixels"));
}

}  // namespace

absl::Status CheckImageSpec(const ImageSpec& spec, uint32_t max_side) {
  if (auto s = CheckSide("image.height", spec.height, max_side); !s.ok()) {
    return s;
  }
  if (auto s = CheckSide("image.width", spec.width, max_side); !s.ok()) {
    return s;
  }
  if (spec.dtype != DType::kUint8) {
    return Invalid(absl::StrCat("image.dtype is ", NameOf(spec.dtype),
                                ": offered is uint8 (0 ground, 255 ink)"));
  }
  if (spec.layout != Layout::kNchw && spec.layout != Layout::kNhwc) {
    return Invalid(absl::StrCat("image.layout is ",
                                static_cast<int>(spec.layout),
                                ": offered are NCHW and NHWC"));
  }
  if (spec.channels.size() != 1 || spec.channels[0] != "ink") {
    return Invalid(absl::StrCat("image.channels is [",
                                absl::StrJoin(spec.channels, ", "),
                                "]: offered is [ink]"));
  }
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
  if (!spec.mean.empty()) {
    return Invalid(absl::StrCat("image.mean has ", spec.mean.size(),
                                " values: offered with float dtypes only, "
                                "leave it out with uint8"));
  }
  if (!spec.std.empty()) {
    return Invalid(absl::StrCat("image.std has ", spec.std.size(),
                                " values: offered with float dtypes only, "
                                "leave it out with uint8"));
  }
  if (spec.quality != Quality::kFast) {
    return Invalid(
        absl::StrCat("image.quality is ",
                     spec.quality == Quality::kExact
                         ? "exact"
                         : absl::StrCat(static_cast<int>(spec.quality)),
                     ": offered is fast"));
  }
  return absl::OkStatus();
}

}  // namespace inkstream::raster
