// How much of a budget each caller holds.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>

#include "server/batch/work/caller_sums.h"

namespace inkstream::batch {

class HeldBytes {
 public:
  void Take(const std::string& caller, size_t bytes) {
    const std::lock_guard<std::mutex> lock(mu_);
    held_.Add(caller, bytes);
  }
  void GiveBack(const std::string& caller, size_t bytes) {
    const std::lock_guard<std::mutex> lock(mu_);
    held_.Remove(caller, bytes);
  }
  size_t Of(const std::string& caller) const {
    const std::lock_guard<std::mutex> lock(mu_);
    return held_.Of(caller);
  }

 private:
  mutable std::mutex mu_;
  CallerSums held_{SIZE_MAX};  // by mu_
};

}  // namespace inkstream::batch
