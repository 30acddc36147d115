// Repeated keys, against a slow clear way to find them.

#include "server/store/generation/duplicate_keys.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/store/sample_drawings.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::store {
namespace {

using ::testing::IsEmpty;
using Keys = std::vector<std::optional<int64_t>>;

class DuplicateKeysTest : public ::testing::Test {
 protected:
  std::shared_ptr<const OpenStore> Write(const Keys& keys) {
    std::vector<Drawing> drawings(keys.size(), OneStroke({1, 2}, {3, 4}));
    for (size_t i = 0; i < keys.size(); ++i) drawings[i].key_id = keys[i];
    WriterOptions options;
    options.segment_drawings = 1 + keys.size() / 3;
    const std::string path = scratch_.File(std::to_string(++stores_));
    MustWrite(path, drawings, options);
    return std::dynamic_pointer_cast<const OpenStore>(MustOpen(path));
  }

  // Places whose key stands at an earlier place.
  static std::vector<uint64_t> Repeated(const Keys& keys) {
    std::vector<uint64_t> places;
    std::map<int64_t, uint64_t> first;
    for (size_t i = 0; i < keys.size(); ++i) {
      if (keys[i] && !first.emplace(*keys[i], i).second) places.push_back(i);
    }
    return places;
  }

  // Looks in any memory and on any number of threads.
  static void ExpectFound(const OpenStore& store, const Keys& keys) {
    const std::vector<uint64_t> expected = Repeated(keys);
    for (const uint64_t memory : {uint64_t{1}, uint64_t{1} << 27}) {
      for (const int threads : {1, 3}) {
        const auto found = FindDuplicateKeys(store, memory, true, threads);
        ASSERT_TRUE(found.ok()) << found.status();
        EXPECT_EQ(found->places, expected) << memory << " " << threads;
        EXPECT_EQ(found->count, expected.size());
        if (expected.empty()) continue;
        EXPECT_EQ(keys[found->first_place], found->key_id);
        EXPECT_EQ(keys[found->place], found->key_id);
        EXPECT_LT(found->first_place, found->place);
      }
    }
  }

  const testing::ScratchDirectory scratch_;
  int stores_ = 0;
};

TEST_F(DuplicateKeysTest, AreThoseOfASlowSearch) {
  std::mt19937_64 random(7);
  Keys keys(9000);
  for (auto& key : keys) {
    // One in ten has none; every other one is one of 3,000.
    if (random() % 10 == 0) continue;
    key = static_cast<int64_t>(random() % 2 == 0 ? random() % 3000 : random());
  }
  const auto store = Write(keys);
  EXPECT_EQ(store->segments(), 3);
  ExpectFound(*store, keys);
}

TEST_F(DuplicateKeysTest, ExtremeAndManyEqualKeys) {
  Keys keys(5000, 42);
  for (const int64_t key : {INT64_MIN, INT64_MAX, int64_t{-1}, int64_t{0}}) {
    keys.push_back(key);
    keys.push_back(key);
  }
  ExpectFound(*Write(keys), keys);
}

TEST_F(DuplicateKeysTest, ThreadsShareManyKeys) {
  Keys keys(140'000);
  for (size_t i = 0; i < keys.size(); ++i) {
    keys[i] = static_cast<int64_t>(i % 139'000);
  }
  ExpectFound(*Write(keys), keys);
}

TEST_F(DuplicateKeysTest, WithoutAnyThereIsNothingToList) {
  Keys keys(500);
  for (size_t i = 0; i < keys.size(); i += 2) {
    keys[i] = static_cast<int64_t>(i);
  }
  ExpectFound(*Write(keys), keys);
  ExpectFound(*Write(Keys(10)), Keys(10));
}

TEST_F(DuplicateKeysTest, ThoseThatAreNotAskedForAreCounted) {
  const Keys keys = {1, 2, 1, 2, 3};
  const auto found = FindDuplicateKeys(*Write(keys), 1 << 20, false);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->count, 2);
  EXPECT_EQ(found->place, 2);
  EXPECT_THAT(found->places, IsEmpty());
}

TEST_F(DuplicateKeysTest, WhatIsDroppedAlreadyIsNoDuplicate) {
  std::vector<Drawing> drawings(6, OneStroke({1, 2}, {3, 4}));
  for (size_t i = 0; i < drawings.size(); ++i) {
    drawings[i].key_id = static_cast<int64_t>(i % 4);
  }
  WriterOptions options;
  options.duplicates = Duplicates::kFirst;
  MustWrite(scratch_.File("s"), drawings, options);
  const auto store =
      std::dynamic_pointer_cast<const OpenStore>(MustOpen(scratch_.File("s")));
  ASSERT_EQ(store->dropped().count(), 2);
  EXPECT_EQ(FindDuplicateKeys(*store, 1 << 20, true)->count, 0);
}

}  // namespace
}  // namespace inkstream::store
