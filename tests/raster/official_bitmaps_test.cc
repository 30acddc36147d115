// Image(28, 28) with nothing else set is what Google published.
#include <gtest/gtest.h>

#include <iostream>
#include <vector>

#include "server/raster/draw/rasterizer.h"
#include "tests/support/cairo_reference.h"
#include "tests/support/image_difference.h"
#include "tests/support/quick_draw_files.h"

namespace inkstream {
namespace {

using testing::ImageDifference;
using testing::PublishedDrawing;

std::vector<PublishedDrawing> Published() {
  const std::string path = testing::QuickDrawFile("official28.ndjson.gz");
  if (path.empty()) return {};
  return testing::ReadPublishedDrawings(path);
}

TEST(OfficialBitmaps, AreDrawnWithinHalfALevel) {
  const auto published = Published();
  if (published.empty()) {
    GTEST_SKIP() << "no ../shared/data/official28.ndjson.gz beside the "
                    "repository";
  }
  ASSERT_EQ(published.size(), 534);
  auto rasterizer = raster::Rasterizer::Create(ImageSpec{});
  ASSERT_TRUE(rasterizer.ok()) << rasterizer.status();
  std::vector<uint8_t> image((*rasterizer)->image_bytes());
  ImageDifference difference;
  for (const auto& p : published) {
    (*rasterizer)->Draw(p.drawing.strokes(), image.data());
    difference.Add(image, p.bitmap28);
  }
  std::cout << "mean " << difference.mean() << ", edges "
            << difference.edge_mean() << ", off by more than 8 "
            << 100.0 * difference.far_share() << " %, most "
            << difference.most() << " levels\n";
  EXPECT_LE(difference.mean(), 0.45);
  EXPECT_LE(difference.edge_mean(), 1.8);
  EXPECT_LE(difference.far_share(), 0.01);
}

TEST(OfficialBitmaps, AreReproducedBitForBitByQualityExact) {
  const auto published = Published();
  if (published.empty()) {
    GTEST_SKIP() << "no ../shared/data/official28.ndjson.gz beside the "
                    "repository";
  }
  ImageSpec spec;
  spec.quality = Quality::kExact;
  auto rasterizer = raster::Rasterizer::Create(spec);
  if (!rasterizer.ok()) GTEST_SKIP() << rasterizer.status();
  std::vector<uint8_t> image((*rasterizer)->image_bytes());
  for (const auto& p : published) {
    (*rasterizer)->Draw(p.drawing.strokes(), image.data());
    ASSERT_EQ(image, p.bitmap28);
  }
}

TEST(OfficialBitmaps, AreReproducedBitForBitByTheCairoReference) {
  const auto published = Published();
  if (published.empty()) {
    GTEST_SKIP() << "no ../shared/data/official28.ndjson.gz beside the "
                    "repository";
  }
  testing::CairoReference cairo{ImageSpec{}};
  std::vector<uint8_t> image(cairo.image_bytes());
  for (const auto& p : published) {
    cairo.Draw(p.drawing.strokes(), image.data());
    ASSERT_EQ(image, p.bitmap28);
  }
}

}  // namespace
}  // namespace inkstream
