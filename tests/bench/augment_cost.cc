#include "tests/bench/augment_cost.h"

#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/raster/augment/augmenter.h"
#include "server/raster/draw/draw_kernel.h"
#include "server/raster/draw/rasterizer.h"

namespace inkstream::bench {
namespace {

std::vector<std::pair<std::string, AugmentSpec>> Sets() {
  AugmentSpec width;
  width.line_width = {0.8F, 1.25F};
  AugmentSpec geometry;
  geometry.rotation = {-20, 20};
  geometry.scale = {0.85F, 1.15F};
  geometry.scale_x = geometry.scale_y = {0.9F, 1.1F};
  geometry.shear = {-0.2F, 0.2F};
  geometry.translate_x = geometry.translate_y = {-12, 12};
  geometry.flip_x = 0.5F;
  AugmentSpec strokes = geometry;
  strokes.stroke_dropout = 0.1F;
  strokes.stroke_reorder = 0.5F;
  AugmentSpec jitter = geometry;
  jitter.jitter = 1.5F;
  AugmentSpec points = strokes;
  points.point_dropout = 0.1F;
  points.jitter = 1.5F;
  AugmentSpec everything = points;
  everything.line_width = width.line_width;
  return {{"line_width", width},
          {"geometry", geometry},
          {"geometry_strokes", strokes},
          {"geometry_jitter", jitter},
          {"geometry_strokes_points", points},
          {"everything", everything}};
}

void Measure(benchmark::State& state, const AugmentSpec& spec,
             const std::string& target, const Album& album) {
  ImageSpec image;
  image.height = image.width = static_cast<uint32_t>(state.range(0));
  raster::UseSimdTarget(target);
  auto rasterizer = raster::Rasterizer::Create(image);
  auto augmenter = raster::Augmenter::Create(spec);
  if (!rasterizer.ok() || !augmenter.ok()) {
    state.SkipWithError("a spec is refused");
    return;
  }
  std::vector<uint8_t> pixels((*rasterizer)->image_bytes());
  raster::AugmentKey key;
  raster::DrawOptions options;
  const auto change = [&](const StrokesView& strokes) {
    ++key.index;
    options.bounds = raster::BoundsOf(strokes);
    const StrokesView changed = augmenter->Apply(strokes, *options.bounds, key);
    options.line_width_factor = augmenter->line_width_factor();
    benchmark::DoNotOptimize(changed.x.data());
    return changed;
  };
  const auto draw = [&](const StrokesView& strokes) {
    (*rasterizer)->Draw(strokes, pixels.data());
  };
  const auto both = [&](const StrokesView& strokes) {
    const StrokesView changed = change(strokes);
    (*rasterizer)->Draw(changed, options, pixels.data());
  };
  double drawing = 1e9;
  double changing = 1e9;
  double together = 1e9;
  for (auto _ : state) {
    // In turn, so that a machine that changes its pace changes it for all.
    constexpr size_t kDrawings = 1500;
    drawing = std::min(drawing, album.CpuSecondsADrawing(draw, kDrawings, 1));
    changing =
        std::min(changing, album.CpuSecondsADrawing(change, kDrawings, 1));
    together = std::min(together, album.CpuSecondsADrawing(both, kDrawings, 1));
  }
  state.counters["ns"] = 1e9 * changing;
  state.counters["percent"] = 100 * changing / drawing;
  state.counters["percent_drawn"] = 100 * (together / drawing - 1);
  raster::UseSimdTarget("");
}

}  // namespace

void RegisterAugmentCost(const std::string& target, const Album& album) {
  for (const auto& [name, spec] : Sets()) {
    benchmark::RegisterBenchmark(
        absl::StrCat("augment/", name, "/", target).c_str(),
        [spec, target, &album](benchmark::State& state) {
          Measure(state, spec, target, album);
        })
        ->Arg(28)
        ->Arg(64)
        ->Arg(128)
        ->Arg(224)
        ->MinTime(0.15);
  }
}

}  // namespace inkstream::bench
