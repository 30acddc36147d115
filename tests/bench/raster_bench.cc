// Drawings a second of the rasteriser, a core, for every image size and
// instruction set, and how many times Cairo's best quality that is, both in
// this run. Counters: `drawings` a second and `times_cairo`.
//
//   raster_bench [NDJSON.gz] [--benchmark_filter=...]
//
// Drawings are those of the file, or of simplified.ndjson.gz in
// ../shared/data, or generated ones, in shuffled order.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "server/raster/draw_kernel.h"
#include "server/raster/rasterizer.h"
#include "tests/support/cairo_reference.h"
#include "tests/support/generated_drawings.h"
#include "tests/support/quick_draw_files.h"

namespace inkstream {
namespace {

constexpr size_t kMostDrawings = 4096;
constexpr size_t kCairoDrawings = 1500;

// Drawings one after another in memory, as a decoder leaves them in cache.
struct Album {
  explicit Album(const std::vector<Drawing>& drawings) {
    for (const Drawing& d : drawings) {
      x.insert(x.end(), d.x.begin(), d.x.end());
      y.insert(y.end(), d.y.begin(), d.y.end());
      ends.insert(ends.end(), d.stroke_ends.begin(), d.stroke_ends.end());
    }
    size_t point = 0;
    size_t stroke = 0;
    for (const Drawing& d : drawings) {
      const size_t points = d.x.size();
      const size_t strokes = d.stroke_ends.size();
      views.push_back({absl::MakeConstSpan(ends).subspan(stroke, strokes),
                       absl::MakeConstSpan(x).subspan(point, points),
                       absl::MakeConstSpan(y).subspan(point, points),
                       {}});
      point += points;
      stroke += strokes;
    }
  }

  std::vector<float> x;
  std::vector<float> y;
  std::vector<uint32_t> ends;
  std::vector<StrokesView> views;
};

std::vector<Drawing> Drawings(std::string path) {
  if (path.empty()) path = testing::QuickDrawFile("simplified.ndjson.gz");
  std::vector<Drawing> drawings;
  if (path.empty()) {
    std::cout << "no file of drawings: generated scribbles\n";
    for (uint64_t seed = 0; seed < kMostDrawings; ++seed) {
      drawings.push_back(
          testing::GeneratedDrawing(testing::DrawingKind::kScribble, seed));
    }
  } else {
    std::cout << "drawings of " << path << "\n";
    for (auto& p : testing::ReadPublishedDrawings(path)) {
      drawings.push_back(std::move(p.drawing));
    }
  }
  std::shuffle(drawings.begin(), drawings.end(), std::mt19937_64(1));
  drawings.resize(std::min(drawings.size(), kMostDrawings));
  return drawings;
}

// Of this thread: other programs on the machine do not count.
double CpuSeconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

ImageSpec Square(int64_t side) {
  ImageSpec spec;
  spec.height = spec.width = static_cast<uint32_t>(side);
  return spec;
}

// Measured once a size, the better of two rounds.
double CairoSeconds(int64_t side, const Album& album) {
  static auto* known = new std::map<int64_t, double>();
  if (const auto it = known->find(side); it != known->end()) return it->second;
  testing::CairoReference cairo(Square(side));
  std::vector<uint8_t> image(cairo.image_bytes());
  const size_t count = std::min(kCairoDrawings, album.views.size());
  double best = 1e9;
  for (int round = 0; round < 2; ++round) {
    const double start = CpuSeconds();
    for (size_t i = 0; i < count; ++i) {
      cairo.Draw(album.views[i], image.data());
    }
    best = std::min(best, (CpuSeconds() - start) / static_cast<double>(count));
  }
  return (*known)[side] = best;
}

void Raster(benchmark::State& state, const std::string& target,
            const Album& album) {
  raster::UseSimdTarget(target);
  auto rasterizer = raster::Rasterizer::Create(Square(state.range(0)));
  if (!rasterizer.ok()) {
    state.SkipWithError(rasterizer.status().ToString().c_str());
    return;
  }
  std::vector<uint8_t> image((*rasterizer)->image_bytes());
  size_t next = 0;
  for (auto _ : state) {
    (*rasterizer)->Draw(album.views[next % album.views.size()], image.data());
    ++next;
  }
  using Counter = benchmark::Counter;
  const double cairo = CairoSeconds(state.range(0), album);
  state.counters["drawings"] =
      Counter(static_cast<double>(next), Counter::kIsRate);
  state.counters["times_cairo"] =
      Counter(static_cast<double>(next) * cairo, Counter::kIsRate);
  raster::UseSimdTarget("");
}

}  // namespace
}  // namespace inkstream

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  const inkstream::Album album(inkstream::Drawings(argc > 1 ? argv[1] : ""));
  for (const std::string& target : inkstream::raster::SimdTargets()) {
    benchmark::RegisterBenchmark(absl::StrCat("Raster/uint8/", target).c_str(),
                                 [target, &album](benchmark::State& state) {
                                   inkstream::Raster(state, target, album);
                                 })
        ->Arg(28)
        ->Arg(64)
        ->Arg(128)
        ->Arg(224)
        ->MinTime(0.3);
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
