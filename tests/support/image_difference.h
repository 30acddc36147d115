// How far apart two 8-bit images are.
//
// Thread safety: plain value.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "absl/types/span.h"

namespace inkstream::testing {

// Sums over any number of pairs of images.
class ImageDifference {
 public:
  // An edge pixel is one that is neither ground nor ink in `expected`.
  void Add(absl::Span<const uint8_t> actual,
           absl::Span<const uint8_t> expected) {
    for (size_t i = 0; i < expected.size(); ++i) {
      const int d = std::abs(int{actual[i]} - int{expected[i]});
      sum_ += d;
      most_ = std::max(most_, d);
      if (d > 8) ++far_;
      if (expected[i] > 0 && expected[i] < 255) {
        edge_sum_ += d;
        ++edge_pixels_;
      }
    }
    pixels_ += expected.size();
  }

  double mean() const { return Ratio(sum_, pixels_); }
  double edge_mean() const { return Ratio(edge_sum_, edge_pixels_); }
  // Share of pixels that are off by more than 8 levels.
  double far_share() const { return Ratio(far_, pixels_); }
  int most() const { return most_; }

 private:
  static double Ratio(uint64_t a, uint64_t b) {
    return b == 0 ? 0.0 : static_cast<double>(a) / static_cast<double>(b);
  }

  uint64_t sum_ = 0;
  uint64_t edge_sum_ = 0;
  uint64_t far_ = 0;
  uint64_t pixels_ = 0;
  uint64_t edge_pixels_ = 0;
  int most_ = 0;
};

}  // namespace inkstream::testing
