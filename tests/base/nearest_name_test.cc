#include "server/base/nearest_name.h"

#include <gtest/gtest.h>

namespace inkstream {
namespace {

TEST(NearestNameTest, AMisspelledNameFindsTheOneThatWasMeant) {
  const std::vector<std::string> words = {"cat", "dog", "The Eiffel Tower"};
  EXPECT_EQ(NearestName("catt", words), "cat");
  EXPECT_EQ(NearestName("DOG", words), "dog");
  EXPECT_EQ(NearestName("the eifel tower", words), "The Eiffel Tower");
}

TEST(NearestNameTest, ASwapOfNeighboursIsOneMistake) {
  EXPECT_EQ(NearestName("cta", {"crab", "cow", "cat"}), "cat");
  EXPECT_EQ(NearestName("tarin", {"rain", "train"}), "train");
}

TEST(NearestNameTest, NothingIsNearToAnotherWordAltogether) {
  EXPECT_EQ(NearestName("zzzzzz", {"cat", "dog"}), "");
  EXPECT_EQ(NearestHint("zzzzzz", {"cat", "dog"}),
            "; offered: \"cat\", \"dog\"");
}

TEST(NearestNameTest, LongListsAreCut) {
  const std::vector<std::string> names(30, "quite another name");
  EXPECT_NE(NearestHint("x", names).find("and 18 more"), std::string::npos);
}

TEST(NearestNameTest, WhatIsQuotedCannotBreakTheLine) {
  EXPECT_EQ(Quoted("a\nb\"c"), "\"a\\nb\\\"c\"");
  EXPECT_LT(Quoted(std::string(1000, 'a')).size(), 100U);
}

}  // namespace
}  // namespace inkstream
