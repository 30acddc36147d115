// The few values of each kind that a thread used last.
//
// Thread safety: one object a thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace inkstream::layout {

template <typename Key, typename Value>
class RecentlyUsed {
 public:
  // Null: there is none; Put() makes it one. Valid until the next Put().
  Value* Find(const Key& key) {
    const auto found =
        std::find_if(values_.begin(), values_.end(),
                     [&key](const auto& kept) { return kept.first == key; });
    if (found == values_.end()) return nullptr;
    std::rotate(values_.begin(), found, found + 1);
    return values_.front().second.get();
  }

  Value* Put(const Key& key, std::unique_ptr<Value> value) {
    if (values_.size() == kMost) values_.pop_back();
    values_.emplace(values_.begin(), key, std::move(value));
    return values_.front().second.get();
  }

 private:
  static constexpr size_t kMost = 8;  // enough for streams that take turns

  std::vector<std::pair<Key, std::unique_ptr<Value>>> values_;  // latest first
};

}  // namespace inkstream::layout
