#include "tests/bench/album.h"

#include <ctime>
#include <iostream>
#include <random>
#include <utility>

#include "absl/types/span.h"
#include "tests/support/generated_drawings.h"
#include "tests/support/quick_draw_files.h"

namespace inkstream::bench {
namespace {

constexpr size_t kMostDrawings = 4096;

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

}  // namespace

double CpuSeconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

Album::Album(std::string path) {
  const std::vector<Drawing> drawings = Drawings(std::move(path));
  for (const Drawing& d : drawings) {
    x_.insert(x_.end(), d.x.begin(), d.x.end());
    y_.insert(y_.end(), d.y.begin(), d.y.end());
    ends_.insert(ends_.end(), d.stroke_ends.begin(), d.stroke_ends.end());
  }
  size_t point = 0;
  size_t stroke = 0;
  for (const Drawing& d : drawings) {
    const size_t points = d.x.size();
    const size_t strokes = d.stroke_ends.size();
    views_.push_back({absl::MakeConstSpan(ends_).subspan(stroke, strokes),
                      absl::MakeConstSpan(x_).subspan(point, points),
                      absl::MakeConstSpan(y_).subspan(point, points),
                      {}});
    point += points;
    stroke += strokes;
  }
}

}  // namespace inkstream::bench
