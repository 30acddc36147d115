#include "server/app/commands/value_counts.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "simdjson.h"

namespace inkstream::app {
namespace {

using ::testing::HasSubstr;

TEST(ValueCountsTest, QuantilesAreThoseOfTheSortedValues) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 200; ++round) {
    ValueCounts counts;
    std::vector<uint64_t> values(1 + random() % 50);
    for (uint64_t& value : values) {
      value = random() % 30;
      counts.Add(value);
    }
    std::sort(values.begin(), values.end());
    EXPECT_EQ(counts.Least(), values.front());
    EXPECT_EQ(counts.Most(), values.back());
    for (const double share : {0.1, 0.5, 0.9, 0.99}) {
      const auto rank = static_cast<size_t>(
          std::ceil(share * static_cast<double>(values.size())));
      EXPECT_EQ(counts.Quantile(share), values[rank - 1]);
    }
  }
}

TEST(ValueCountsTest, BucketsTouchAndHoldEveryValueOnce) {
  ValueCounts counts;
  for (uint64_t value = 3; value <= 70000; ++value) counts.Add(value);
  uint64_t next = 3;
  uint64_t total = 0;
  for (const ValueCounts::Bucket& bucket : counts.Buckets()) {
    EXPECT_EQ(bucket.from, next);
    EXPECT_GE(bucket.to, bucket.from);
    next = bucket.to + 1;
    total += bucket.count;
  }
  EXPECT_GT(next, 70000);
  EXPECT_EQ(total, counts.total());
  EXPECT_EQ(counts.Buckets().front().to, 3);
  EXPECT_EQ(counts.Buckets()[1].to, 5);
}

TEST(ValueCountsTest, MergedCountsAreThoseOfOne) {
  ValueCounts a, b, both;
  for (const uint64_t value : {1, 5, 5}) a.Add(value), both.Add(value);
  for (const uint64_t value : {2, 900}) b.Add(value), both.Add(value);
  a.Merge(b);
  EXPECT_EQ(a.ToJson(), both.ToJson());
  EXPECT_EQ(a.Sum(), 913);
}

TEST(ValueCountsTest, LinesFitTheWidthAndNothingIsShownAsNothing) {
  ValueCounts counts;
  for (int i = 0; i < 1000000; ++i) counts.Add(4);
  counts.Add(7);
  const std::string text = counts.Text("strokes a drawing", 80);
  EXPECT_THAT(text, HasSubstr("4-5  ####"));
  EXPECT_THAT(text, HasSubstr("6-7  # "));
  size_t begin = 0;
  for (size_t end; (end = text.find('\n', begin)) != std::string::npos;
       begin = end + 1) {
    EXPECT_LE(end - begin, 80);
  }
}

TEST(ValueCountsTest, NothingIsAnAnswerToo) {
  const ValueCounts counts;
  EXPECT_EQ(counts.Mean(), 0);
  EXPECT_EQ(counts.Most(), 0);
  simdjson::dom::parser parser;
  EXPECT_EQ(parser.parse(counts.ToJson().dump()).error(), simdjson::SUCCESS);
}

}  // namespace
}  // namespace inkstream::app
