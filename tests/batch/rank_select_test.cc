#include "server/batch/view/rank_select.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace inkstream::batch {
namespace {

void ExpectAgreesWithAList(const std::vector<uint64_t>& members,
                           uint64_t numbers) {
  std::vector<uint64_t> words((numbers + 63) / 64);
  for (const uint64_t member : members) {
    words[member / 64] |= uint64_t{1} << (member % 64);
  }
  const RankSelect set(words);
  ASSERT_EQ(set.size(), members.size());
  for (uint64_t k = 0; k < members.size(); ++k) {
    ASSERT_EQ(set.Select(k), members[k]) << "k=" << k;
    ASSERT_EQ(set.RankOf(members[k]), k);
    ASSERT_TRUE(set.Contains(members[k]));
  }
}

TEST(RankSelectTest, FindsEveryMemberAtAnyDensity) {
  std::mt19937_64 random(7);
  for (const double density : {0.0001, 0.02, 0.5, 0.98, 1.0}) {
    for (const uint64_t numbers : {1, 63, 64, 65, 511, 512, 513, 20'000}) {
      std::vector<uint64_t> members;
      for (uint64_t i = 0; i < numbers; ++i) {
        if (std::generate_canonical<double, 32>(random) < density) {
          members.push_back(i);
        }
      }
      ExpectAgreesWithAList(members, numbers);
    }
  }
}

TEST(RankSelectTest, AnEmptySetHasNoMembers) {
  EXPECT_EQ(RankSelect({}).size(), 0U);
  EXPECT_EQ(RankSelect({0, 0, 0}).size(), 0U);
}

}  // namespace
}  // namespace inkstream::batch
