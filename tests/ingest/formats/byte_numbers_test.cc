#include "server/ingest/formats/byte_numbers.h"

#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/ingest/input/record_chunk.h"

namespace inkstream::ingest {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kBefore[] = "[[[[";

struct Found {
  std::vector<uint8_t> numbers;
  size_t used = 0;  // bytes of the text
};

// `behind` stands where nothing may be read for its meaning.
Found Take(size_t (*take)(const char**, const char*, uint8_t*),
           const std::string& text, const std::string& behind) {
  std::string bytes = absl::StrCat(kBefore, text, behind);
  bytes.resize(bytes.size() + RecordChunk::kPadding, '7');
  const char* const begin = bytes.data() + sizeof(kBefore) - 1;
  const char* at = begin;
  Found found;
  found.numbers.resize(text.size() / 2 + 1);
  found.numbers.resize(take(&at, begin + text.size(), found.numbers.data()));
  found.used = static_cast<size_t>(at - begin);
  return found;
}

std::vector<uint8_t> Numbers(const std::string& text) {
  return Take(TakeByteNumbers, text, "").numbers;
}

TEST(ByteNumbersTest, ReadsUpToTheBracket) {
  EXPECT_THAT(Numbers("0,9,10,99,100,255]"),
              ElementsAre(0, 9, 10, 99, 100, 255));
  EXPECT_EQ(Take(TakeByteNumbers, "7,8],[9]", "").used, 4);
}

TEST(ByteNumbersTest, WhatIsNotPlainIsLeftToOthers) {
  for (const char* text :
       {"",     "]",   ",1]",    "1,]", "1,,2]", "256]",  "999]",  "1000]",
        "01]",  "00]", "1,007]", "-1]", "1.0]",  "1e2]",  " 1]",   "1 ]",
        "1;2]", "1,2", "1}",     "1/]", "1:]",   "\xB1]", "1\xFF]"}) {
    EXPECT_THAT(Numbers(text), IsEmpty()) << text;
  }
}

TEST(ByteNumbersTest, WhatStandsBehindTheEndDoesNotComplete) {
  for (const char* text : {"1,2", "1,2,", "12", ""}) {
    EXPECT_THAT(Take(TakeByteNumbers, text, "5]1,2]").numbers, IsEmpty())
        << text;
  }
}

// Lists around the sizes of a block, some of them with one byte changed.
TEST(ByteNumbersTest, BothWaysAgreeOnAnyBytes) {
  std::mt19937 random(7);
  const std::string others = "0123456789,,]].-+e \"[}\n\x80\xFF";
  size_t good = 0;
  for (int round = 0; round < 200000; ++round) {
    std::string text;
    const int top = random() % 2 == 0 ? 256 : 300;
    for (size_t n = 1 + random() % 60; n > 0; --n) {
      text += absl::StrCat(random() % top, n == 1 ? "]" : ",");
    }
    if (random() % 2 == 0) {
      text[random() % text.size()] = others[random() % others.size()];
    }
    const std::string behind = random() % 2 == 0 ? "5]" : ",1]";
    const Found fast = Take(TakeByteNumbers, text, behind);
    const Found slow = Take(TakeByteNumbersPlainly, text, behind);
    ASSERT_EQ(fast.numbers, slow.numbers) << text;
    ASSERT_EQ(fast.used, slow.used) << text;
    good += !fast.numbers.empty();
  }
  EXPECT_GT(good, 10000);
  EXPECT_LT(good, 190000);
}

}  // namespace
}  // namespace inkstream::ingest
