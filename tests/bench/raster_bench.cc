// Thousands of drawings a second that the rasteriser draws on a core, for every
// image size, type and instruction set, and how many times Cairo's best quality
// and OpenCV's anti-aliased polylines that is, all in this run and in CPU time.
// Counters: `k_per_s`, `times_cairo`, `times_opencv` (0: built without OpenCV);
// of augment/...: see augment_cost.h.
//
//   raster_bench [NDJSON.gz] [--benchmark_filter=uint8/AVX2]
//
// Drawings are those of the file, or of simplified.ndjson.gz in
// ../shared/data, or generated ones, in shuffled order.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/raster/draw/draw_kernel.h"
#include "server/raster/draw/rasterizer.h"
#include "tests/bench/album.h"
#include "tests/bench/augment_cost.h"
#include "tests/support/cairo_reference.h"
#ifdef INKSTREAM_BENCH_OPENCV
#include "tests/support/opencv_polylines.h"
#endif

namespace inkstream {
namespace {

ImageSpec Square(int64_t side) {
  ImageSpec spec;
  spec.height = spec.width = static_cast<uint32_t>(side);
  return spec;
}

struct Peers {
  double cairo = 0;
  double opencv = 0;  // 0: not built in
};

// Measured once a size.
const Peers& PeersOf(int64_t side, const bench::Album& album) {
  static auto* const known = new std::map<int64_t, Peers>();
  const auto found = known->find(side);
  if (found != known->end()) return found->second;
  Peers& peers = (*known)[side];
  testing::CairoReference cairo(Square(side));
  std::vector<uint8_t> image(cairo.image_bytes());
  peers.cairo = album.CpuSecondsADrawing(
      [&](const StrokesView& strokes) { cairo.Draw(strokes, image.data()); });
#ifdef INKSTREAM_BENCH_OPENCV
  peers.opencv =
      album.CpuSecondsADrawing(testing::OpenCvPolylines(Square(side)));
#endif
  return peers;
}

void Report(benchmark::State& state, const bench::Album& album, size_t drawn) {
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
            const bench::Album& album) {
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
    (*rasterizer)
        ->Draw(album.views()[next % album.views().size()], image.data());
    ++next;
  }
  Report(state, album, next);
  raster::UseSimdTarget("");
}

void Register(const std::string& name, const ImageSpec& spec,
              const std::string& target, double seconds,
              const bench::Album& album) {
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

void RegisterAll(const bench::Album& album) {
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
  for (const std::string& target : targets) {
    if (target == targets[0] || target == "AVX2") {
      bench::RegisterAugmentCost(target, album);
    }
  }
}

}  // namespace
}  // namespace inkstream

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  const inkstream::bench::Album album(argc > 1 ? argv[1] : "");
  inkstream::RegisterAll(album);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
