// How often each value of a small whole number occurs: exact, so that medians
// are, and a histogram for people.
//
// Thread safety: one thread an object; merge those of several threads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/base/json.h"

namespace inkstream::app {

class ValueCounts {
 public:
  struct Bucket {
    uint64_t from = 0;
    uint64_t to = 0;  // inclusive
    uint64_t count = 0;
  };

  // `value` below a few hundred thousand: memory is 8 bytes a value.
  void Add(uint64_t value) {
    if (value >= counts_.size()) counts_.resize(value + 1);
    ++counts_[value];
    ++total_;
  }
  void Merge(const ValueCounts& other);

  uint64_t total() const { return total_; }
  uint64_t Sum() const;
  double Mean() const;
  // The least value that `share` (0..1) of all do not exceed; 0 of nothing.
  uint64_t Quantile(double share) const;
  uint64_t Least() const { return Quantile(0); }
  uint64_t Most() const { return Quantile(1); }
  // Two buckets an octave (1, 2, 3, 4-5, 6-7, 8-11, ...), from the first to the
  // last that has any.
  std::vector<Bucket> Buckets() const;

  // A line with mean, median and the like, then a bar a bucket, `width` columns
  // at most. `what`: "strokes a drawing".
  std::string Text(absl::string_view what, size_t width) const;
  // {"mean", "median", "p90", "p99", "least", "most", "histogram": [{"from",
  // "to", "drawings"}]}
  Json ToJson() const;

 private:
  std::vector<uint64_t> counts_;  // by value
  uint64_t total_ = 0;
};

}  // namespace inkstream::app
