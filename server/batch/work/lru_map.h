// Values by key, in the order in which they were last used. Finding, putting
// and giving up take constant time.
//
// Thread safety: one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <unordered_map>
#include <utility>

namespace inkstream::batch {

// How often something was there, and was not.
struct Lookups {
  uint64_t hits = 0;
  uint64_t misses = 0;
};

template <typename Key, typename Value, typename Hash = std::hash<Key>>
class LruMap {
 public:
  // The value, which is now the last used; null: there is none. Valid until it
  // is given up.
  Value* Find(const Key& key) {
    const auto found = places_.find(key);
    if (found == places_.end()) return nullptr;
    values_.splice(values_.begin(), values_, found->second);
    return &found->second->second;
  }

  // REQUIRES: there is none under this key.
  Value* Put(const Key& key, Value value) {
    values_.emplace_front(key, std::move(value));
    places_.emplace(key, values_.begin());
    return &values_.front().second;
  }

  // Gives values up, the least recently used first: while not `done`, those
  // that `may_go`; `gone` takes each of them.
  template <typename Done, typename MayGo, typename Gone>
  void GiveUp(const Done& done, const MayGo& may_go, const Gone& gone) {
    auto next = values_.end();
    while (next != values_.begin() && !done()) {
      --next;
      if (!may_go(next->second)) continue;
      places_.erase(next->first);
      Value value = std::move(next->second);
      next = values_.erase(next);
      gone(std::move(value));
    }
  }

  size_t size() const { return values_.size(); }

 private:
  using Values = std::list<std::pair<Key, Value>>;

  Values values_;  // the last used first
  std::unordered_map<Key, typename Values::iterator, Hash> places_;
};

}  // namespace inkstream::batch
