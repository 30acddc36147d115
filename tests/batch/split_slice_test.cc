#include "server/batch/view/split_slice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace inkstream::batch {
namespace {

using ::testing::HasSubstr;

TEST(SplitSliceTest, PercentsAreReadExactly) {
  EXPECT_EQ(ParseSplitSlice("train")->Text(), "0%:100%");
  EXPECT_TRUE(ParseSplitSlice("train[:]")->whole());
  const SplitSlice slice = *ParseSplitSlice("train[12.5%:90%]");
  EXPECT_EQ(slice.split, "train");
  EXPECT_EQ(slice.from, 12'500'000U);
  EXPECT_EQ(slice.Text(), "12.5%:90%");
  EXPECT_EQ(ParseSplitSlice("[:0.000001%]")->to, 1U);
}

TEST(SplitSliceTest, WhatIsNoSliceIsRefusedWithAnExample) {
  for (const char* const text :
       {"train[", "train[:10%", "train[10]", "train[:1000]", "train[20%:10%]",
        "train[10%:10%]", "train[:101%]", "train[:1.0000001%]", "train[-1%:]",
        "train[:.5%]", "train[:5.%]", "train[:10%]x"}) {
    EXPECT_EQ(ParseSplitSlice(text), std::nullopt) << text;
    View view;
    view.split = text;
    order::ResolvedView order;
    const absl::Status status =
        CompileHashes(store::StoreInfo(), view, &order).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr("train[10%:20%]"));
  }
}

TEST(HashRangeTest, PartsMakeUpTheWholeWithoutOverlap) {
  for (const HashRange range :
       {HashRange{}, HashRange{0, 9, false}, HashRange{7, 7, false},
        HashRange{uint64_t{1} << 63U, ~uint64_t{0}, false}}) {
    for (const uint64_t parts : {1U, 2U, 3U, 7U, 1000U}) {
      uint64_t next = range.first;
      bool any = false;
      for (uint64_t i = 0; i < parts; ++i) {
        const HashRange part = range.Part(i, i + 1, parts);
        if (part.empty) continue;
        ASSERT_EQ(part.first, next);
        ASSERT_GE(part.last, part.first);
        next = part.last + 1;
        any = true;
      }
      EXPECT_TRUE(any);
      EXPECT_EQ(next, range.last + 1);
    }
  }
}

TEST(HashRangeTest, AnEmptyOneContainsNothing) {
  const HashRange nothing = HashRange{3, 4, false}.Part(0, 1, 1000);
  EXPECT_TRUE(nothing.empty);
  EXPECT_FALSE(nothing.Contains(0));
  EXPECT_FALSE(nothing.Contains(3));
  EXPECT_TRUE(HashRange{}.Contains(~uint64_t{0}));
}

TEST(FoldTest, LimitsAreNamed) {
  EXPECT_TRUE(CheckFold({4, 5, false}).ok());
  EXPECT_THAT(std::string(CheckFold({5, 5, false}).message()),
              HasSubstr("folds are 0..4"));
  EXPECT_FALSE(CheckFold({0, 1, false}).ok());
  EXPECT_FALSE(CheckFold({0, 1001, false}).ok());
}

}  // namespace
}  // namespace inkstream::batch
