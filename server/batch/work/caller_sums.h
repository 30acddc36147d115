// A sum under a limit, in all and of each caller, who may have its share of it
// (caller_share.h).
//
// Thread safety: one thread at a time.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "server/batch/work/caller_share.h"

namespace inkstream::batch {

class CallerSums {
 public:
  explicit CallerSums(size_t limit) : limit_(limit) {}

  // Whether there is room for `amount` more. For the only one there always is,
  // and of its share for a caller's only one, since nothing else would ever
  // make any.
  bool Fits(const std::string& caller, size_t amount) const {
    const size_t own = Of(caller);
    return (all_ == 0 || all_ + amount <= limit_) &&
           (own == 0 || own + amount <= CallerShare(limit_));
  }

  void Add(const std::string& caller, size_t amount) {
    if (amount == 0) return;
    all_ += amount;
    callers_[caller] += amount;
  }

  // Of what was added.
  void Remove(const std::string& caller, size_t amount) {
    if (amount == 0) return;
    all_ -= amount;
    const auto found = callers_.find(caller);
    found->second -= amount;
    if (found->second == 0) callers_.erase(found);
  }

  size_t limit() const { return limit_; }
  size_t all() const { return all_; }
  size_t Of(const std::string& caller) const {
    const auto found = callers_.find(caller);
    return found == callers_.end() ? 0 : found->second;
  }

 private:
  const size_t limit_;
  size_t all_ = 0;
  std::map<std::string, size_t> callers_;
};

}  // namespace inkstream::batch
