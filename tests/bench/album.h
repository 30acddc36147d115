// Drawings that a benchmark draws again and again.
//
// Thread safety: immutable after construction.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "inkstream/drawing.h"

namespace inkstream::bench {

// Of this thread: other programs on the machine do not count.
double CpuSeconds();

// Up to 4,096 drawings one after another in memory, as a decoder leaves them in
// cache, in shuffled order.
class Album {
 public:
  // Of an NDJSON file; "" is simplified.ndjson.gz of the shared data, or
  // generated scribbles where there is none. Says which.
  explicit Album(std::string path);

  const std::vector<StrokesView>& views() const { return views_; }

  // CPU seconds that draw(strokes) takes for one of the first `most` drawings,
  // the best of `rounds`.
  template <class Draw>
  double CpuSecondsADrawing(Draw draw, size_t most = 1500,
                            int rounds = 2) const {
    const size_t count = std::min(most, views_.size());
    double best = 1e9;
    for (int round = 0; round < rounds; ++round) {
      const double start = CpuSeconds();
      for (size_t i = 0; i < count; ++i) draw(views_[i]);
      best =
          std::min(best, (CpuSeconds() - start) / static_cast<double>(count));
    }
    return best;
  }

 private:
  std::vector<float> x_;
  std::vector<float> y_;
  std::vector<uint32_t> ends_;
  std::vector<StrokesView> views_;
};

}  // namespace inkstream::bench
