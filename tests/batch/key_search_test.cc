#include "server/batch/view/key_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "tests/support/fake_store.h"

namespace inkstream::batch {
namespace {

using ::testing::ElementsAre;

// More than one thread searches.
constexpr uint64_t kDrawings = 1'100'000;

const auto kNever = [] { return false; };

TEST(KeySearchTest, KeysAreFoundInEveryThreadsPart) {
  const testing::FakeStore store(kDrawings);
  for (const int threads : {1, 3, 4}) {
    const auto found = FindKeys(
        store, {1000, 1'101'000 - 2, 5, 301'000, 600'000, 901'004, 1000},
        threads, kNever);
    ASSERT_TRUE(found.ok());
    EXPECT_THAT(*found, ElementsAre(0, kDrawings - 2, kNoSuchKey, 300'000,
                                    599'000, 900'004, 0))
        << threads;
  }
}

// Every 4,096th drawing has the same key.
class RepeatingStore : public testing::FakeStore {
 public:
  using FakeStore::FakeStore;
  void ReadColumn(store::StoreColumn /*column*/, uint64_t first,
                  absl::Span<int64_t> out) const override {
    for (size_t i = 0; i < out.size(); ++i) {
      out[i] = static_cast<int64_t>((first + i) % 4096);
    }
  }
};

TEST(KeySearchTest, OfSeveralTheFirstIsFound) {
  const RepeatingStore store(kDrawings);
  EXPECT_THAT(*FindKeys(store, {77}, 4, kNever), ElementsAre(77));
}

TEST(KeySearchTest, ASearchThatNobodyWaitsForIsGivenUp) {
  const testing::FakeStore store(kDrawings);
  std::atomic<int> asked{0};
  const auto found = FindKeys(store, {5}, 4, [&] { return ++asked > 3; });
  EXPECT_EQ(found.status().code(), absl::StatusCode::kCancelled);
  // By each of four threads once more at most, of 269 times.
  EXPECT_LE(asked, 8);
}

}  // namespace
}  // namespace inkstream::batch
