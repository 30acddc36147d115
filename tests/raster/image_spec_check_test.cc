#include "server/raster/tensor/image_spec_check.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace inkstream {
namespace {

std::string Refusal(const ImageSpec& spec, uint32_t max_side = 1024,
                    bool has_times = false) {
  const absl::Status status = raster::CheckImageSpec(spec, max_side, has_times);
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
  // Nor may a server allow more than the kernel's numbers hold.
  EXPECT_EQ(Refusal(spec, UINT32_MAX),
            "image.width is 4294967295: must be 1..1920 pixels");
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

TEST(ImageSpecCheck, EveryOfferedTypeIsFine) {
  ImageSpec spec;
  for (const DType dtype :
       {DType::kUint8, DType::kFloat16, DType::kBFloat16, DType::kFloat32}) {
    spec.dtype = dtype;
    EXPECT_EQ(Refusal(spec), "ok");
  }
  spec.dtype = DType::kInt64;
  EXPECT_EQ(Refusal(spec),
            "image.dtype is int64: offered are uint8 (0 ground, 255 ink), "
            "float16, bfloat16 and float32 (0..1)");
  spec.dtype = DType::kUnspecified;
  EXPECT_EQ(Refusal(spec).substr(0, 26), "image.dtype is unspecified");
}

TEST(ImageSpecCheck, ChannelsAreNamedWithTheNearestAndAll) {
  ImageSpec spec;
  spec.channels = {"ink", "order", "direction", "constant"};
  EXPECT_EQ(Refusal(spec), "ok");
  spec.channels = {"ink", "ordre"};
  EXPECT_EQ(Refusal(spec),
            "image.channels names 'ordre'; nearest is order: offered are ink, "
            "order, direction, constant");
  spec.channels = {"2"};
  EXPECT_EQ(Refusal(spec),
            "image.channels names '2': offered are ink, order, direction, "
            "constant");
  spec.channels = {};
  EXPECT_EQ(Refusal(spec),
            "image.channels is []: offered are ink, order, direction, "
            "constant");
  spec.channels = {"ink", "order", "ink"};
  EXPECT_EQ(Refusal(spec),
            "image.channels names ink twice: each may be named once");
}

TEST(ImageSpecCheck, ChannelsOfTimesNeedADatasetWithTimes) {
  ImageSpec spec;
  for (const std::string name : {"time", "pause", "speed"}) {
    spec.channels = {"order", name};
    EXPECT_EQ(Refusal(spec), "image.channels names " + name +
                                 ", but this dataset has no times: it has ink, "
                                 "order, direction, constant");
    EXPECT_EQ(Refusal(spec, 1024, true), "ok");
  }
}

TEST(ImageSpecCheck, MeanAndStdGoWithFloatsOneOrOneAChannel) {
  ImageSpec spec;
  spec.mean = {0.5F};
  EXPECT_EQ(Refusal(spec),
            "image.mean has 1 values: offered with float dtypes only, leave "
            "it out with uint8");
  spec = {};
  spec.std = {0.5F};
  EXPECT_EQ(Refusal(spec),
            "image.std has 1 values: offered with float dtypes only, leave it "
            "out with uint8");
  spec.dtype = DType::kFloat32;
  EXPECT_EQ(Refusal(spec), "ok");
  spec.channels = {"ink", "order", "direction"};
  EXPECT_EQ(Refusal(spec), "ok");
  spec.mean = {0.1F, 0.2F, 0.3F};
  EXPECT_EQ(Refusal(spec), "ok");
  spec.mean = {0.1F, 0.2F};
  EXPECT_EQ(Refusal(spec),
            "image.mean has 2 values: must have 1 or one a channel, 3");
}

TEST(ImageSpecCheck, MeanAndStdMustBeFiniteAndStdAboveZero) {
  ImageSpec spec;
  spec.dtype = DType::kFloat32;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  spec.mean = {nan};
  EXPECT_EQ(Refusal(spec), "image.mean[0] is nan: must be finite");
  spec.mean = {std::numeric_limits<float>::infinity()};
  EXPECT_EQ(Refusal(spec), "image.mean[0] is inf: must be finite");
  spec.mean = {0.0F};
  for (const auto& [std, text] :
       {std::pair{0.0F, "0"}, {-1.0F, "-1"}, {nan, "nan"}}) {
    spec.std = {std};
    EXPECT_EQ(Refusal(spec), "image.std[0] is " + std::string(text) +
                                 ": must be above 0 and finite");
  }
}

TEST(ImageSpecCheck, ElementsMustBeFiniteInTheirType) {
  ImageSpec spec;
  spec.std = {1e-5F};
  spec.dtype = DType::kFloat16;
  EXPECT_EQ(Refusal(spec),
            "image.mean[0] 0 and image.std[0] 1e-05 make 100000 of a pixel of "
            "255: float16 holds at most 65504");
  spec.dtype = DType::kBFloat16;
  EXPECT_EQ(Refusal(spec), "ok");
  spec.mean = {-3.4e38F};
  spec.std = {1.0F};
  // Finite as a float32, beyond the largest bfloat16.
  EXPECT_EQ(Refusal(spec).substr(0, 24), "image.mean[0] -3.4e+38 a");
  spec.dtype = DType::kFloat32;
  EXPECT_EQ(Refusal(spec), "ok");
  spec.std = {0.5F};
  EXPECT_NE(Refusal(spec), "ok");
}

TEST(ImageSpecCheck, WhatIsNotOfferedIsNamed) {
  ImageSpec spec;
  spec.quality = static_cast<Quality>(5);
  EXPECT_EQ(Refusal(spec), "image.quality is 5: offered are fast and exact");
  spec = {};
  spec.fit = static_cast<Fit>(9);
  EXPECT_EQ(Refusal(spec),
            "image.fit is 9: offered are canvas, box and stretch");
  spec = {};
  spec.layout = static_cast<Layout>(7);
  EXPECT_EQ(Refusal(spec), "image.layout is 7: offered are NCHW and NHWC");
}

TEST(ImageSpecCheck, ExactDrawsInkOnly) {
  ImageSpec spec;
  spec.quality = Quality::kExact;
  if (Refusal(spec) != "ok") {
    EXPECT_EQ(Refusal(spec),
              "image.quality is exact: this server was built without Cairo and "
              "offers fast");
    GTEST_SKIP() << "built without Cairo";
  }
  spec.channels = {"ink", "order"};
  EXPECT_EQ(Refusal(spec),
            "image.channels is [ink, order]: image.quality exact offers [ink] "
            "only, fast offers all");
}

}  // namespace
}  // namespace inkstream
