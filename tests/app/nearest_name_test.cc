#include "server/app/nearest_name.h"

#include "gtest/gtest.h"

namespace inkstream::app {
namespace {

TEST(NearestNameTest, DistanceCountsEditsAndSwaps) {
  EXPECT_EQ(EditDistance("", ""), 0);
  EXPECT_EQ(EditDistance("abc", ""), 3);
  EXPECT_EQ(EditDistance("serve", "sreve"), 1);
  EXPECT_EQ(EditDistance("--drawing", "--drawings"), 1);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3);
}

TEST(NearestNameTest, TheFirstOfTheNearestWins) {
  EXPECT_EQ(NearestName("ingets", {"inspect", "ingest", "serve"}), "ingest");
  EXPECT_EQ(NearestName("x", {"a", "b"}), "a");
  EXPECT_EQ(NearestName("x", {}), "");
}

}  // namespace
}  // namespace inkstream::app
