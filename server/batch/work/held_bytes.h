// How much of a budget each caller holds.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <string>

namespace inkstream::batch {

class HeldBytes {
 public:
  void Take(const std::string& caller, size_t bytes) {
    const std::lock_guard<std::mutex> lock(mu_);
    held_[caller] += bytes;
  }
  void GiveBack(const std::string& caller, size_t bytes) {
    const std::lock_guard<std::mutex> lock(mu_);
    const auto found = held_.find(caller);
    if (found == held_.end()) return;
    found->second -= bytes;
    if (found->second == 0) held_.erase(found);
  }
  size_t Of(const std::string& caller) const {
    const std::lock_guard<std::mutex> lock(mu_);
    const auto found = held_.find(caller);
    return found == held_.end() ? 0 : found->second;
  }

 private:
  mutable std::mutex mu_;
  std::map<std::string, size_t> held_;  // callers that hold any; by mu_
};

}  // namespace inkstream::batch
