#include "server/ingest/max_errors.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace inkstream::ingest {
namespace {

TEST(MaxErrorsTest, OnePercentWhereNothingIsSaid) {
  const MaxErrors limit;
  EXPECT_FALSE(limit.IsOverAtEnd(1, 100));
  EXPECT_TRUE(limit.IsOverAtEnd(2, 199));
  EXPECT_EQ(limit.DebugString(), "1%");
}

TEST(MaxErrorsTest, ANumberIsOverAtOnce) {
  const MaxErrors limit = *MaxErrors::Parse("3");
  EXPECT_FALSE(limit.IsOverNow(3));
  EXPECT_TRUE(limit.IsOverNow(4));
  EXPECT_TRUE(limit.IsOverAtEnd(4, 1000000));
}

TEST(MaxErrorsTest, APercentageWaitsForTheEnd) {
  const MaxErrors limit = *MaxErrors::Parse("0.5%");
  EXPECT_FALSE(limit.IsOverNow(1000000));
  EXPECT_FALSE(limit.IsOverAtEnd(5, 1000));
  EXPECT_TRUE(limit.IsOverAtEnd(6, 1000));
}

TEST(MaxErrorsTest, NoneAndAllCanBeSaid) {
  EXPECT_TRUE(MaxErrors::Parse("0")->IsOverNow(1));
  EXPECT_FALSE(MaxErrors::Parse("0")->IsOverNow(0));
  EXPECT_FALSE(MaxErrors::Parse("100%")->IsOverAtEnd(10, 10));
}

TEST(MaxErrorsTest, AnythingElseIsRefusedByName) {
  for (const std::string text :
       {"", "%", "-1", "1.5", "101%", "-1%", "nan%", "many", "5 %x"}) {
    const absl::Status status = MaxErrors::Parse(text).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << text;
    EXPECT_THAT(std::string(status.message()),
                ::testing::HasSubstr("--max-errors"));
  }
}

}  // namespace
}  // namespace inkstream::ingest
