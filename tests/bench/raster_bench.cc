// Thousands of drawings a second that the rasteriser draws on a core, for every
// image size, type and instruction set, and how many times Cairo's best quality
// and OpenCV's anti-aliased polylines that is, all in this run and in CPU time.
// Counters: `k_per_s`, `times_cairo`, `times_opencv` (0: built without OpenCV).
//
//   raster_bench [NDJSON.gz] [--benchmark_filter=uint8/AVX2]
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
#ifdef INKSTREAM_BENCH_OPENCV
#include "tests/support/opencv_polylines.h"
#endif

namespace inkstream {
namespace {

constexpr size_t kMostDrawings = 4096;
constexpr size_t kPeerDrawings = 1500;

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

// CPU seconds a drawing, the better of two rounds.
template <class Draw>
double Seconds(const Album& album, Draw draw) {
  const size_t count = std::min(kPeerDrawings, album.views.size());
  double best = 1e9;
  for (int round = 0; round < 2; ++round) {
    const double start = CpuSeconds();
    for (size_t i = 0; i < count; ++i) draw(album.views[i]);
    best = std::min(best, (CpuSeconds() - start) / static_cast<double>(count));
  }
  return best;
}

struct Peers {
  double cairo = 0;
  double opencv = 0;  // 0: not built in
};

// Measured once a size.
const Peers& PeersOf(int64_t side, const Album& album) {
  static auto* const known = new std::map<int64_t, Peers>();
  const auto found = known->find(side);
  if (found != known->end()) return found->second;
  Peers& peers = (*known)[side];
  testing::CairoReference cairo(Square(side));
  std::vector<uint8_t> image(cairo.image_bytes());
  peers.cairo = Seconds(album, [&](const StrokesView& strokes) {
    cairo.Draw(strokes, image.data());
  });
#ifdef INKSTREAM_BENCH_OPENCV
  peers.opencv = Seconds(album, testing::OpenCvPolylines(Square(side)));
#endif
  return peers;
}

void Report(benchmark::State& state, const Album& album, size_t drawn) {
  using Counter = benchmark::Counter;
  const Peers& peers = PeersOf(state.range(0), album);
  const auto count = static_cast<double>(drawn);
  state.counters["k_per_s"] = Counter(count / 1000, Counter::kIsRate);
  state.counters["times_cairo"] =
      Counter(count * peers.cairo, Counter::kIsRate);
  state.counters["times_opencv"] =
      Counter(count * peers.opencv, Counter::kIsRate);
}

void Raster(benchmark::State& state, ImageSpec spec, const std::string& target,
            const Album& album) {
  spec.height = spec.width = static_cast<uint32_t>(state.range(0));
  raster::UseSimdTarget(target);
  auto rasterizer = raster::Rasterizer::Create(spec);
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
  Report(state, album, next);
  raster::UseSimdTarget("");
}

void Register(const std::string& name, const ImageSpec& spec,
              const std::string& target, double seconds, const Album& album) {
  benchmark::RegisterBenchmark(absl::StrCat(name, "/", target).c_str(),
                               [spec, target, &album](benchmark::State& state) {
                                 Raster(state, spec, target, album);
                               })
      ->Arg(28)
      ->Arg(64)
      ->Arg(128)
      ->Arg(224)
      ->MinTime(seconds);
}

void RegisterAll(const Album& album) {
  const std::vector<std::string> targets = raster::SimdTargets();
  for (const auto& [name, dtype] : {std::pair{"uint8", DType::kUint8},
                                    {"float16", DType::kFloat16},
                                    {"bfloat16", DType::kBFloat16},
                                    {"float32", DType::kFloat32}}) {
    ImageSpec spec;
    spec.dtype = dtype;
    for (const std::string& target : targets) {
      Register(name, spec, target, dtype == DType::kUint8 ? 0.3 : 0.1, album);
    }
  }
  ImageSpec channels;
  channels.channels = {"ink", "order", "direction"};
  Register("three_channels", channels, targets[0], 0.1, album);
  ImageSpec exact;
  exact.quality = Quality::kExact;
  Register("exact", exact, "Cairo", 0.1, album);
}

}  // namespace
}  // namespace inkstream

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  const inkstream::Album album(inkstream::Drawings(argc > 1 ? argv[1] : ""));
  inkstream::RegisterAll(album);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
