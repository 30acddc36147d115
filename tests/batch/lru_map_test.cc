#include "server/batch/work/lru_map.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>

namespace inkstream::batch {
namespace {

constexpr uint64_t kMany = 100'000;

// Counts how often keys are compared.
struct CountedKey {
  uint64_t number;

  bool operator==(const CountedKey& other) const {
    ++compared;
    return number == other.number;
  }
  static inline uint64_t compared = 0;
};

struct HashOfKey {
  size_t operator()(const CountedKey& key) const {
    return std::hash<uint64_t>()(key.number);
  }
};

TEST(LruMapTest, FindingOneOfManyLooksAtFew) {
  LruMap<CountedKey, int, HashOfKey> map;
  for (uint64_t i = 0; i < kMany; ++i) map.Put({i}, 1);
  CountedKey::compared = 0;
  for (uint64_t i = 0; i < kMany; ++i) ASSERT_NE(map.Find({i}), nullptr);
  EXPECT_LT(CountedKey::compared, 4 * kMany);
}

TEST(LruMapTest, GivingUpLooksAtTheOldestAlone) {
  LruMap<CountedKey, int, HashOfKey> map;
  for (uint64_t i = 0; i < kMany; ++i) map.Put({i}, static_cast<int>(i));
  uint64_t looked_at = 0;
  int gone = -1;
  map.GiveUp([&] { return gone >= 0; },
             [&](int) {
               ++looked_at;
               return true;
             },
             [&](int value) { gone = value; });
  EXPECT_EQ(gone, 0);
  EXPECT_EQ(looked_at, 1U);
}

}  // namespace
}  // namespace inkstream::batch
