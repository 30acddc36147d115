// The drawings of a batch that cannot be read.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <cstdint>
#include <mutex>

#include "absl/status/status.h"

namespace inkstream::layout {

class Damage {
 public:
  // `skip`: their rows stay blank, under ON_CORRUPT_SKIP.
  explicit Damage(bool skip) : skip_(skip) {}

  // Whether a batch goes on without the drawing that this is about.
  bool Skips(const absl::Status& why) {
    if (!skip_ || !absl::IsDataLoss(why)) return false;
    const std::lock_guard<std::mutex> lock(mu_);
    if (first_.ok()) first_ = why;
    ++rows_;
    return true;
  }

  uint32_t rows() const {
    const std::lock_guard<std::mutex> lock(mu_);
    return rows_;
  }
  // What the first one met said; OK: there was none.
  absl::Status first() const {
    const std::lock_guard<std::mutex> lock(mu_);
    return first_;
  }

 private:
  const bool skip_;
  mutable std::mutex mu_;  // guards everything below
  uint32_t rows_ = 0;
  absl::Status first_;
};

}  // namespace inkstream::layout
