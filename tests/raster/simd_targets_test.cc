// Every instruction set gives the same bytes, and they are the ones on record.
#include <gtest/gtest.h>

#include <cstdint>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "server/raster/draw/draw_kernel.h"
#include "server/raster/draw/rasterizer.h"
#include "tests/support/generated_drawings.h"
#include "tests/support/golden_tensors.h"

namespace inkstream {
namespace {

using testing::Fnv1a;
using testing::GeneratedDrawings;

class SimdTargets : public ::testing::Test {
 protected:
  ~SimdTargets() override { raster::UseSimdTarget(""); }
};

std::vector<ImageSpec> Specs() {
  std::vector<ImageSpec> specs;
  for (const auto& [height, width] :
       {std::pair{28U, 28U}, {64U, 64U}, {128U, 128U}, {224U, 224U}}) {
    ImageSpec spec;
    spec.height = height;
    spec.width = width;
    specs.push_back(spec);
  }
  specs[2].line_width = 2.5F;
  ImageSpec odd;
  odd.height = 37;
  odd.width = 101;
  odd.line_width = 40.0F;
  odd.fit = Fit::kStretch;
  specs.push_back(odd);
  odd.height = 301;
  odd.width = 3;
  odd.fit = Fit::kBox;
  specs.push_back(odd);
  return specs;
}

std::vector<uint8_t> Draw(const ImageSpec& spec, const Drawing& drawing) {
  auto rasterizer = raster::Rasterizer::Create(spec);
  EXPECT_TRUE(rasterizer.ok()) << rasterizer.status();
  std::vector<uint8_t> image((*rasterizer)->image_bytes());
  (*rasterizer)->Draw(drawing.strokes(), image.data());
  return image;
}

TEST_F(SimdTargets, DrawTheSamePixels) {
  const std::vector<std::string> targets = raster::SimdTargets();
  ASSERT_FALSE(targets.empty());
  for (const ImageSpec& spec : Specs()) {
    for (const auto& [name, drawing] : GeneratedDrawings()) {
      raster::UseSimdTarget("SCALAR");
      const std::vector<uint8_t> expected = Draw(spec, drawing);
      for (const std::string& target : targets) {
        raster::UseSimdTarget(target);
        EXPECT_EQ(Draw(spec, drawing), expected)
            << name << " at " << spec.height << "x" << spec.width << " by "
            << target;
      }
    }
  }
  for (const std::string& target : targets) std::cout << target << " ";
  std::cout << "agree\n";
}

TEST_F(SimdTargets, DrawManyRandomScribblesTheSame) {
  ImageSpec spec;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    spec.height = 1 + seed * 7 % 200;
    spec.width = 1 + seed * 13 % 200;
    spec.line_width = 0.25F * static_cast<float>(1 + seed % 120);
    const Drawing drawing =
        testing::GeneratedDrawing(testing::DrawingKind::kScribble, seed);
    raster::UseSimdTarget("");
    const std::vector<uint8_t> expected = Draw(spec, drawing);
    for (const std::string& target : raster::SimdTargets()) {
      raster::UseSimdTarget(target);
      ASSERT_EQ(Draw(spec, drawing), expected)
          << "seed " << seed << " by " << target;
    }
  }
}

// A change here changes what is trained on: raise kRasterVersion with it.
TEST_F(SimdTargets, DrawThePixelsOnRecord) {
  ASSERT_EQ(raster::kRasterVersion, 3);
  const std::map<std::string, uint64_t> recorded = {
#include "tests/golden/raster_hashes.inc"
  };
  for (const auto& [name, drawing] : GeneratedDrawings()) {
    uint64_t hash = testing::kFnvBasis;
    for (const ImageSpec& spec : Specs()) {
      hash = Fnv1a(Draw(spec, drawing), hash);
    }
    const auto found = recorded.find(name);
    EXPECT_TRUE(found != recorded.end() && found->second == hash)
        << "drawn: {\"" << name << "\", 0x" << std::hex << hash << "U},";
  }
}

TEST_F(SimdTargets, DrawTheTensorsOnRecord) {
  const std::map<std::string, uint64_t> recorded = {
#include "tests/golden/tensor_hashes.inc"
  };
  const std::vector<std::string> targets = raster::SimdTargets();
  for (const testing::GoldenTensor& tensor : testing::GoldenTensors()) {
    const auto found = recorded.find(tensor.name);
    for (const std::string& target : targets) {
      raster::UseSimdTarget(target);
      const uint64_t hash = testing::GoldenHash(tensor);
      EXPECT_TRUE(found != recorded.end() && found->second == hash)
          << target << " draws: {\"" << tensor.name << "\", 0x" << std::hex
          << hash << "U},";
    }
  }
}

}  // namespace
}  // namespace inkstream
