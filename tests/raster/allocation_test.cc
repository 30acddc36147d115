// Drawing allocates nothing once the scratch memory has grown.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <vector>

#include "server/raster/draw/rasterizer.h"
#include "tests/support/generated_drawings.h"
#include "tests/support/golden_tensors.h"

namespace {
std::atomic<int64_t> allocations{0};
}  // namespace

void* operator new(size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* p = std::malloc(bytes == 0 ? 1 : bytes)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, size_t) noexcept { std::free(p); }

namespace inkstream {
namespace {

TEST(Allocation, HappensOnlyWhileScratchMemoryGrows) {
  std::vector<Drawing> drawings;
  for (const auto& [name, drawing] : testing::GeneratedDrawings()) {
    drawings.push_back(testing::WithTimes(drawing));
  }
  for (const testing::GoldenTensor& tensor : testing::GoldenTensors()) {
    auto rasterizer = raster::Rasterizer::Create(tensor.spec, 1024, true);
    ASSERT_TRUE(rasterizer.ok()) << rasterizer.status();
    std::vector<uint8_t> image((*rasterizer)->image_bytes());
    for (const int round : {0, 1}) {
      const int64_t before = allocations.load();
      for (const Drawing& drawing : drawings) {
        raster::DrawOptions options = tensor.options;
        for (const float factor : {1.0F, 0.5F, 1.3F}) {
          options.line_width_factor *= factor;
          (*rasterizer)->Draw(drawing.strokes(), options, image.data());
        }
      }
      if (round == 1) {
        EXPECT_EQ(allocations.load() - before, 0) << tensor.name;
      } else {
        EXPECT_GT(allocations.load() - before, 0) << tensor.name;
      }
    }
  }
}

}  // namespace
}  // namespace inkstream
