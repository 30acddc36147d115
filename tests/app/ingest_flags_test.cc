#include "server/app/flags/ingest_flags.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace inkstream::app {
namespace {

using ::testing::HasSubstr;

TEST(SplitFlagTest, NamesAndFractionsInOrder) {
  const auto splits = ParseSplits("train=0.7,valid=0.2,test=0.1");
  ASSERT_TRUE(splits.ok()) << splits.status();
  ASSERT_EQ(splits->size(), 3);
  EXPECT_EQ((*splits)[0].name, "train");
  EXPECT_DOUBLE_EQ((*splits)[1].fraction, 0.2);
  EXPECT_TRUE(ParseSplits("")->empty());
  EXPECT_TRUE(ParseSplits("train=1").ok());
}

TEST(SplitFlagTest, WhatIsWrongIsNamed) {
  for (const std::string text :
       {"train", "train=", "=0.5", "train=0", "train=1.5", "train=-0.1",
        "train=nan", "train=x", "train=0.5,", "a=0.5,,b=0.5"}) {
    const absl::Status status = ParseSplits(text).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr("--split"));
  }
  EXPECT_THAT(std::string(ParseSplits("a=0.5,a=0.1").status().message()),
              HasSubstr("'a' twice"));
  EXPECT_THAT(std::string(ParseSplits("a=0.9,b=0.2").status().message()),
              HasSubstr("sum to 1.1"));
}

}  // namespace
}  // namespace inkstream::app
