// A sum under a limit, in all and of each caller, who may have its share of it:
// seven eighths, of streams as of requests that wait. Else one peer that opens
// what it never uses would keep every newcomer out, while nothing tells it from
// a busy host with many ranks; and behind a proxy all of them are one caller.
//
// Thread safety: one thread at a time.
#pragma once

#include <cstddef>
#include <map>
#include <string>

namespace inkstream::batch {

template <typename Amount>
constexpr Amount CallerShare(Amount all) {
  return all - all / 8;
}

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
