#include "server/store/drawing_rules.h"

#include <cmath>
#include <limits>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/store/sample_drawings.h"

namespace inkstream::store {
namespace {

using ::testing::HasSubstr;

template <typename Change>
std::string Refusal(Change change) {
  Drawing drawing = SampleDrawing(1);
  change(&drawing);
  const absl::Status status = ValidateDrawing(drawing);
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  return std::string(status.message());
}

TEST(DrawingRules, GoodDrawingsPass) {
  EXPECT_TRUE(ValidateDrawing(SampleDrawing(1)).ok());
  for (const Drawing& odd : OddDrawings()) {
    EXPECT_TRUE(ValidateDrawing(odd).ok()) << ValidateDrawing(odd);
  }
}

TEST(DrawingRules, BadStrokesNameWhatIsWrong) {
  EXPECT_THAT(Refusal([](Drawing* d) { *d = Drawing(); }),
              HasSubstr("no strokes"));
  EXPECT_THAT(Refusal([](Drawing* d) { d->y.pop_back(); }), HasSubstr("x but"));
  EXPECT_THAT(Refusal([](Drawing* d) { d->stroke_ends[0] = 0; }),
              HasSubstr("stroke 0 has no points"));
  EXPECT_THAT(
      Refusal([](Drawing* d) { d->stroke_ends.push_back(d->x.size()); }),
      HasSubstr("has no points"));
  EXPECT_THAT(Refusal([](Drawing* d) { d->stroke_ends.back() -= 1; }),
              HasSubstr("belong to no stroke"));
  EXPECT_THAT(Refusal([](Drawing* d) { d->stroke_ends.back() += 1; }),
              HasSubstr("has no points"));
  EXPECT_THAT(Refusal([](Drawing* d) { d->t.resize(d->x.size()); }),
              HasSubstr("times"));
  EXPECT_THAT(Refusal([](Drawing* d) {
                *d = OneStroke(std::vector<float>(65536),
                               std::vector<float>(65536));
              }),
              HasSubstr("65535"));
}

TEST(DrawingRules, CoordinatesAreWholeNumbersOfTheCanvas) {
  for (const float bad :
       {-1.0F, 256.0F, 0.5F, 1e30F, -1e30F,
        std::numeric_limits<float>::infinity(), std::nanf("")}) {
    EXPECT_THAT(Refusal([&](Drawing* d) { d->x[1] = bad; }),
                HasSubstr("x of point 1"))
        << bad;
    EXPECT_THAT(Refusal([&](Drawing* d) { d->y.back() = bad; }),
                HasSubstr("y of point"))
        << bad;
  }
}

TEST(DrawingRules, WordsArePrintableUtf8) {
  for (const char* bad :
       {"\xFF", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "a\xE2\x82",
        "\x80", "tab\t", "\x7F", "nl\n", "\xC2\x85", "\x1B[31m"}) {
    EXPECT_THAT(Refusal([&](Drawing* d) { d->word = bad; }), HasSubstr("word"));
    EXPECT_THAT(Refusal([&](Drawing* d) { d->countrycode = bad; }),
                HasSubstr("countrycode"));
  }
  EXPECT_THAT(Refusal([](Drawing* d) { d->word = std::string("a\0b", 3); }),
              HasSubstr("control character at byte 1"));
  EXPECT_THAT(Refusal([](Drawing* d) { d->word = std::string(256, 'a'); }),
              HasSubstr("the limit is 255"));
  EXPECT_THAT(Refusal([](Drawing* d) { d->word = ""; }), HasSubstr("empty"));
}

TEST(DrawingRules, NumbersHaveRanges) {
  EXPECT_THAT(Refusal([](Drawing* d) { d->key_id = 0; }), HasSubstr("key_id"));
  EXPECT_THAT(Refusal([](Drawing* d) { d->key_id = -5; }), HasSubstr("-5"));
  EXPECT_THAT(Refusal([](Drawing* d) { d->timestamp->micros = INT64_MAX; }),
              HasSubstr("timestamp"));
  EXPECT_THAT(Refusal([](Drawing* d) { d->timestamp->trailing_zeros = 7; }),
              HasSubstr("the limit is 6"));
}

}  // namespace
}  // namespace inkstream::store
