#include "server/raster/image_spec_check.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace inkstream {
namespace {

std::string Refusal(const ImageSpec& spec, uint32_t max_side = 1024) {
  const absl::Status status = raster::CheckImageSpec(spec, max_side);
  if (status.ok()) return "ok";
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

TEST(ImageSpecCheck, DefaultsAreFine) { EXPECT_EQ(Refusal(ImageSpec{}), "ok"); }

TEST(ImageSpecCheck, SidesAreNamedWithTheirLimit) {
  ImageSpec spec;
  spec.height = 0;
  EXPECT_EQ(Refusal(spec), "image.height is 0: must be 1..1024 pixels");
  spec.height = 28;
  spec.width = 1025;
  EXPECT_EQ(Refusal(spec), "image.width is 1025: must be 1..1024 pixels");
  spec.width = 300;
  EXPECT_EQ(Refusal(spec, 256), "image.width is 300: must be 1..256 pixels");
  spec.width = UINT32_MAX;
  EXPECT_EQ(Refusal(spec), "image.width is 4294967295: must be 1..1024 pixels");
}

TEST(ImageSpecCheck, LineWidthMustBePositiveAndBounded) {
  ImageSpec spec;
  const std::string rest =
      ": must be above 0 and at most 256 units of the 256 canvas";
  spec.line_width = -1.0F;
  EXPECT_EQ(Refusal(spec), "image.line_width is -1" + rest);
  spec.line_width = 0.0F;
  EXPECT_EQ(Refusal(spec), "image.line_width is 0" + rest);
  spec.line_width = 257.0F;
  EXPECT_EQ(Refusal(spec), "image.line_width is 257" + rest);
  spec.line_width = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(Refusal(spec), "image.line_width is nan" + rest);
  spec.line_width = std::numeric_limits<float>::infinity();
  EXPECT_EQ(Refusal(spec), "image.line_width is inf" + rest);
}

TEST(ImageSpecCheck, PaddingMustBeBounded) {
  ImageSpec spec;
  const std::string rest = ": must be 0..1024 units of the 256 canvas";
  spec.padding = -0.5F;
  EXPECT_EQ(Refusal(spec), "image.padding is -0.5" + rest);
  spec.padding = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(Refusal(spec), "image.padding is nan" + rest);
  spec.padding = 0.0F;
  EXPECT_EQ(Refusal(spec), "ok");
}

TEST(ImageSpecCheck, WhatIsNotOfferedIsNamed) {
  ImageSpec spec;
  spec.dtype = DType::kFloat32;
  EXPECT_EQ(Refusal(spec),
            "image.dtype is float32: offered is uint8 (0 ground, 255 ink)");
  spec = {};
  spec.channels = {"ink", "order"};
  EXPECT_EQ(Refusal(spec), "image.channels is [ink, order]: offered is [ink]");
  spec.channels = {};
  EXPECT_EQ(Refusal(spec), "image.channels is []: offered is [ink]");
  spec = {};
  spec.quality = Quality::kExact;
  EXPECT_EQ(Refusal(spec), "image.quality is exact: offered is fast");
  spec = {};
  spec.fit = static_cast<Fit>(9);
  EXPECT_EQ(Refusal(spec),
            "image.fit is 9: offered are canvas, box and stretch");
  spec = {};
  spec.layout = static_cast<Layout>(7);
  EXPECT_EQ(Refusal(spec), "image.layout is 7: offered are NCHW and NHWC");
  spec = {};
  spec.mean = {0.5F};
  EXPECT_EQ(Refusal(spec),
            "image.mean has 1 values: offered with float dtypes only, leave "
            "it out with uint8");
  spec = {};
  spec.std = {0.5F};
  EXPECT_EQ(Refusal(spec),
            "image.std has 1 values: offered with float dtypes only, leave it "
            "out with uint8");
}

}  // namespace
}  // namespace inkstream
