// Close to Cairo's best quality at every size and line width.
#include <gtest/gtest.h>

#include <iostream>
#include <tuple>
#include <vector>

#include "server/raster/draw/rasterizer.h"
#include "tests/support/cairo_reference.h"
#include "tests/support/generated_drawings.h"
#include "tests/support/image_difference.h"
#include "tests/support/quick_draw_files.h"

namespace inkstream {
namespace {

using testing::DrawingKind;
using testing::GeneratedDrawing;
using testing::ImageDifference;

class CairoFidelity
    : public ::testing::TestWithParam<std::tuple<uint32_t, float>> {
 protected:
  ImageDifference Compare(const std::vector<Drawing>& drawings) {
    ImageSpec spec;
    spec.height = spec.width = std::get<0>(GetParam());
    spec.line_width = std::get<1>(GetParam());
    auto rasterizer = raster::Rasterizer::Create(spec);
    EXPECT_TRUE(rasterizer.ok()) << rasterizer.status();
    testing::CairoReference cairo(spec);
    std::vector<uint8_t> ours((*rasterizer)->image_bytes());
    std::vector<uint8_t> theirs(cairo.image_bytes());
    ImageDifference difference;
    for (const Drawing& drawing : drawings) {
      (*rasterizer)->Draw(drawing.strokes(), ours.data());
      cairo.Draw(drawing.strokes(), theirs.data());
      difference.Add(ours, theirs);
    }
    std::cout << spec.height << "^2, line width " << spec.line_width
              << ": mean " << difference.mean() << ", edges "
              << difference.edge_mean() << ", most " << difference.most()
              << " levels\n";
    return difference;
  }
};

TEST_P(CairoFidelity, OfRealDrawingsIsWithinThreeLevelsOnEdges) {
  const std::string path = testing::QuickDrawFile("simplified.ndjson.gz");
  if (path.empty()) {
    GTEST_SKIP() << "no ../shared/data/simplified.ndjson.gz beside the "
                    "repository";
  }
  std::vector<Drawing> drawings;
  for (auto& p : testing::ReadPublishedDrawings(path, 150)) {
    drawings.push_back(std::move(p.drawing));
  }
  const ImageDifference difference = Compare(drawings);
  EXPECT_LE(difference.mean(), 0.3);
  EXPECT_LE(difference.edge_mean(), 3.0);
}

TEST_P(CairoFidelity, OfGeneratedDrawingsIsClose) {
  std::vector<Drawing> drawings;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    drawings.push_back(GeneratedDrawing(DrawingKind::kScribble, seed));
  }
  drawings.push_back(GeneratedDrawing(DrawingKind::kLongLines, 1));
  drawings.push_back(GeneratedDrawing(DrawingKind::kDots, 1));
  const ImageDifference difference = Compare(drawings);
  EXPECT_LE(difference.mean(), 1.0);
  EXPECT_LE(difference.edge_mean(), 4.5);
}

INSTANTIATE_TEST_SUITE_P(
    SizesAndWidths, CairoFidelity,
    ::testing::Combine(::testing::Values(64U, 128U, 224U),
                       ::testing::Values(0.5F, 1.0F, 2.0F, 4.0F, 8.0F, 16.0F)));

}  // namespace
}  // namespace inkstream
