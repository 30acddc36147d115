// A few things that are dear to make, found by what they were made for; the
// least recently used is given up.
//
// Thread safety: one object a thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <list>
#include <memory>
#include <utility>

namespace inkstream::batch {

// Key: copyable, compared with ==.
template <typename Key, typename Value>
class KeptFew {
 public:
  // nullptr where there is none. Valid until the next Keep().
  Value* Find(const Key& key) {
    const auto found =
        std::find_if(kept_.begin(), kept_.end(),
                     [&](const auto& entry) { return entry.first == key; });
    if (found == kept_.end()) return nullptr;
    kept_.splice(kept_.begin(), kept_, found);
    return found->second.get();
  }

  Value* Keep(const Key& key, std::unique_ptr<Value> value) {
    kept_.emplace_front(key, std::move(value));
    if (kept_.size() > kKept) kept_.pop_back();
    return kept_.front().second.get();
  }

 private:
  static constexpr size_t kKept = 8;

  std::list<std::pair<Key, std::unique_ptr<Value>>> kept_;  // newest first
};

}  // namespace inkstream::batch
