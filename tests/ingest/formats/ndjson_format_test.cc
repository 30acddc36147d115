#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/ingest/formats/drawing_format.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::ingest {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

ParsedChunk Parse(const std::string& text, uint64_t line = 1,
                  uint64_t offset = 0) {
  RecordChunk chunk;
  std::memcpy(chunk.data(), text.data(), text.size());
  chunk.size = text.size();
  chunk.line = line;
  chunk.offset = offset;
  return kNdjsonFormat.new_parser({})->Parse(chunk);
}

constexpr char kStrokes[] = R"("drawing":[[[0,255],[1,2]]])";

// One line that is refused; answers "kind: reason".
std::string Refusal(const std::string& line) {
  const ParsedChunk parsed = Parse(line);
  EXPECT_EQ(parsed.read, 1) << line;
  EXPECT_TRUE(parsed.drawings.empty()) << line;
  if (parsed.errors.examples().size() != 1) return "not refused";
  const ErrorExample& example = parsed.errors.examples().front();
  return std::string(ErrorKindName(example.kind)) + ": " + example.reason;
}

std::string WithField(const std::string& field) {
  return "{" + field + "," + kStrokes + "}";
}

TEST(NdjsonFormatTest, AllSixKeysAreRead) {
  const ParsedChunk parsed = Parse(
      R"({"word":"ice cream","countrycode":"VE","timestamp":"2017-03-02 23:25:10.07453 UTC","recognized":true,"key_id":"5201136883597312","drawing":[[[130,113],[72,40]],[[7],[9]]]})"
      "\n");
  ASSERT_EQ(parsed.drawings.size(), 1);
  const Drawing drawing = parsed.drawings.Unpack().front();
  EXPECT_EQ(drawing.word, "ice cream");
  EXPECT_EQ(drawing.countrycode, "VE");
  EXPECT_EQ(drawing.timestamp, (Timestamp{1488497110074530, 0}));
  EXPECT_EQ(drawing.recognized, true);
  EXPECT_EQ(drawing.key_id, 5201136883597312);
  EXPECT_THAT(drawing.stroke_ends, ElementsAre(2, 3));
  EXPECT_THAT(drawing.x, ElementsAre(130, 113, 7));
  EXPECT_THAT(drawing.y, ElementsAre(72, 40, 9));
  EXPECT_EQ(parsed.read, 1);
  EXPECT_EQ(parsed.errors.total(), 0);
}

TEST(NdjsonFormatTest, KeysMayBeMissingAndInAnyOrder) {
  const ParsedChunk parsed =
      Parse(std::string("{") + kStrokes + R"(,"word":"cat"})" + "\n  { " +
            kStrokes + " } \r\n");
  ASSERT_EQ(parsed.drawings.size(), 2);
  const std::vector<Drawing> drawings = parsed.drawings.Unpack();
  EXPECT_EQ(drawings[0].word, "cat");
  EXPECT_FALSE(drawings[0].key_id.has_value());
  EXPECT_FALSE(drawings[1].word.has_value());
  EXPECT_FALSE(drawings[1].recognized.has_value());
}

TEST(NdjsonFormatTest, NothingIsCarriedFromOneLineToTheNext) {
  const ParsedChunk parsed = Parse(
      R"({"word":"cat","key_id":"7","recognized":false,"drawing":[[[1,2],[1,2]]]})"
      "\n"
      R"({"drawing":[[[3],[4]]]})");
  ASSERT_EQ(parsed.drawings.size(), 2);
  const std::vector<Drawing> drawings = parsed.drawings.Unpack();
  Drawing expected;
  expected.stroke_ends = {1};
  expected.x = {3};
  expected.y = {4};
  EXPECT_EQ(drawings[1], expected);
}

TEST(NdjsonFormatTest, UnknownKeysAreCountedAndNullsReadAsMissing) {
  const ParsedChunk parsed =
      Parse(WithField(R"("user":{"a":[1,2]},"word":null,"drawer":1)") + "\n" +
            WithField(R"("user":2)"));
  ASSERT_EQ(parsed.drawings.size(), 2);
  const std::vector<Drawing> drawings = parsed.drawings.Unpack();
  EXPECT_FALSE(drawings[0].word.has_value());
  EXPECT_THAT(parsed.unknown_keys.counts(),
              ElementsAre(Pair("drawer", 1), Pair("user", 2)));
  EXPECT_THAT(parsed.null_values.counts(), ElementsAre(Pair("word", 1)));
}

TEST(NdjsonFormatTest, MillionsOfUnknownKeysNeedLittleMemory) {
  std::string text = "{";
  for (int i = 0; i < 5000; ++i) {
    text += "\"key" + std::to_string(i) + "\":0,";
  }
  const ParsedChunk parsed = Parse(text + kStrokes + "}");
  EXPECT_EQ(parsed.drawings.size(), 1);
  EXPECT_EQ(parsed.unknown_keys.counts().size(), KeyCounts::kMaxNames + 1);
  EXPECT_EQ(parsed.unknown_keys.counts().at(KeyCounts::kOthers),
            5000 - KeyCounts::kMaxNames);
}

TEST(NdjsonFormatTest, RawDrawingsAreSimplifiedAndCounted) {
  const ParsedChunk parsed = Parse(
      R"({"word":"cat","drawing":[[[100.5,150,200.5],[10,10,10],[0,16,31.5]]]})"
      "\n" +
      std::string(R"({"drawing":[[[3],[4]]]})"));
  ASSERT_EQ(parsed.drawings.size(), 2);
  const std::vector<Drawing> drawings = parsed.drawings.Unpack();
  EXPECT_EQ(drawings[0].word, "cat");
  EXPECT_THAT(drawings[0].x, ElementsAre(0, 255));
  EXPECT_THAT(drawings[0].y, ElementsAre(0, 0));
  EXPECT_TRUE(drawings[0].t.empty());
  EXPECT_EQ(parsed.simplified, 1);
}

TEST(NdjsonFormatTest, BlankLinesAreNoRecords) {
  const ParsedChunk parsed =
      Parse(std::string("\n \t\r\n{") + kStrokes + "}\n\n");
  EXPECT_EQ(parsed.read, 1);
  EXPECT_EQ(parsed.drawings.size(), 1);
}

TEST(NdjsonFormatTest, ABadLineKnowsItsPlaceAndDoesNotStopTheRest) {
  const std::string good = std::string("{") + kStrokes + "}\n";
  const ParsedChunk parsed = Parse(good + "\n{oops\n" + good, 1000, 5000);
  EXPECT_EQ(parsed.read, 3);
  EXPECT_EQ(parsed.drawings.size(), 2);
  ASSERT_EQ(parsed.errors.examples().size(), 1);
  const ErrorExample& example = parsed.errors.examples().front();
  EXPECT_EQ(example.line, 1002);
  EXPECT_EQ(example.offset, 5000 + good.size() + 1);
  EXPECT_EQ(example.input, "{oops");
}

TEST(NdjsonFormatTest, OverlongLinesAreOneBadRecord) {
  RecordChunk chunk;
  chunk.overlong = {17, 99, "{\"word\":"};
  const ParsedChunk parsed = kNdjsonFormat.new_parser({})->Parse(chunk);
  EXPECT_EQ(parsed.read, 1);
  ASSERT_EQ(parsed.errors.examples().size(), 1);
  EXPECT_EQ(parsed.errors.examples()[0].kind, ErrorKind::kLineTooLong);
  EXPECT_EQ(parsed.errors.examples()[0].line, 17);
  EXPECT_THAT(parsed.errors.examples()[0].reason, HasSubstr("1048576"));
}

TEST(NdjsonFormatTest, WholeNumbersMayHaveAPoint) {
  const ParsedChunk parsed = Parse(R"({"drawing":[[[1.0,2e1],[0.0,-0.0]]]})");
  ASSERT_EQ(parsed.drawings.size(), 1);
  const std::vector<Drawing> drawings = parsed.drawings.Unpack();
  EXPECT_THAT(drawings[0].x, ElementsAre(1, 20));
}

TEST(NdjsonFormatTest, WhatWentThroughATableIsTheSameDrawing) {
  const std::string plain =
      R"({"word":"cat","countrycode":"VE","timestamp":"2017-03-02 23:25:10.704 UTC","recognized":true,"key_id":"5201136883597312","drawing":[[[130,113],[72,40]],[[7],[9]]]})";
  const ParsedChunk official = Parse(plain);
  EXPECT_TRUE(official.other_forms.counts().empty());
  const std::vector<std::pair<std::string, std::string>> forms[] = {
      {{R"("5201136883597312")", "5201136883597312"},
       {"true", "1"},
       {" 23:25:10.704 UTC", "T23:25:10.704Z"},
       {"[[[130,113],[72,40]],[[7],[9]]]",
        R"("[[[130, 113], [72, 40]], [[7], [9]]]")"}},
      {{R"("5201136883597312")", "5201136883597312.0"},
       {"true", "1.0"},
       {" 23:25:10.704 UTC", "T23:25:10.704000+00:00"},
       {"[[[130,113],[72,40]],[[7],[9]]]",
        R"("[[[130,113],[72,40]],[[7],[9]]]","index":17,"Unnamed: 0":3)"}},
      {{R"("5201136883597312")", R"("5201136883597312.0")"},
       {"true", R"("True")"},
       {" 23:25:10.704 UTC", " 23:25:10.704000"},
       {"[[[130,113],[72,40]],[[7],[9]]]",
        R"("[[[130,113],[72,40]],[[7],[9]]]")"}},
  };
  for (const auto& form : forms) {
    const std::string line = absl::StrReplaceAll(plain, form);
    const ParsedChunk parsed = Parse(line);
    EXPECT_EQ(parsed.errors.Summary(), "") << line;
    EXPECT_TRUE(parsed.drawings == official.drawings) << line;
    EXPECT_THAT(
        parsed.other_forms.counts(),
        ElementsAre(Pair("drawing as text", 1), Pair("key_id as a number", 1),
                    Pair("recognized as a number or text", 1),
                    Pair("timestamp in ISO 8601", 1)));
  }
}

TEST(NdjsonFormatTest, RawStrokesAsTextAreSimplifiedToo) {
  const ParsedChunk parsed =
      Parse(R"({"drawing":"[[[100.5,150,200.5],[10,10,10],[0,16,31.5]]]"})");
  ASSERT_EQ(parsed.drawings.size(), 1);
  EXPECT_THAT(parsed.drawings.Unpack().front().x, ElementsAre(0, 255));
  EXPECT_EQ(parsed.simplified, 1);
}

struct BadLine {
  std::string line;
  std::string kind;
  std::string reason;  // a part of it
};

void PrintTo(const BadLine& bad, std::ostream* out) {
  *out << bad.kind << " " << bad.line.substr(0, 60);
}

class BadLineTest : public ::testing::TestWithParam<BadLine> {};

TEST_P(BadLineTest, IsRefusedWithKindAndReason) {
  const std::string refusal = Refusal(GetParam().line);
  EXPECT_EQ(refusal.substr(0, refusal.find(':')), GetParam().kind) << refusal;
  EXPECT_THAT(refusal, HasSubstr(GetParam().reason));
}

std::string Nested(int depth) {
  return WithField("\"a\":" + std::string(depth, '[') +
                   std::string(depth, ']'));
}

std::string Points(int count) {
  std::string axis = "0";
  for (int i = 1; i < count; ++i) axis += ",0";
  return "{\"drawing\":[[[" + axis + "],[" + axis + "]]]}";
}

INSTANTIATE_TEST_SUITE_P(
    Json, BadLineTest,
    ::testing::Values(
        BadLine{"{not json", "broken_json", "not JSON"},
        BadLine{"{\"drawing\":[[[1],[1]]]", "broken_json", "not JSON"},
        BadLine{"{\"drawing\":[[[1],[1]]]} x", "broken_json", "not JSON"},
        BadLine{WithField("\"a\":[1 2]"), "broken_json", "not JSON"},
        BadLine{"[]", "not_an_object", "expected an object"},
        BadLine{"17", "not_an_object", "17"},
        BadLine{R"({"drawing":[[[NaN],[1]]]})", "not_a_number", "NaN"},
        BadLine{R"({"drawing":[[[1],[-Infinity]]]})", "not_a_number",
                "Infinity"},
        BadLine{R"({"word":"nan" [[1,inf]])", "not_a_number", "inf"},
        BadLine{R"({"word":"banana NaN", x})", "broken_json", "not JSON"},
        BadLine{R"({"drawing":[[[1e400],[1]]]})", "bad_number", "64 bits"},
        BadLine{R"({"drawing":[[[01],[1]]]})", "bad_number", "malformed"},
        BadLine{R"({"drawing":[[[99999999999999999999],[1]]]})", "bad_number",
                "64 bits"},
        BadLine{WithField("\"word\":\"\xff\""), "invalid_utf8", "UTF-8"},
        BadLine{WithField("\"a\":\"\xed\xa0\x80\""), "invalid_utf8", "UTF-8"},
        BadLine{std::string("{\"word\":\"a\0b\"}", 14), "nul_byte", "byte 10"},
        BadLine{std::string("\0\0\0", 3), "nul_byte", "byte 0"},
        BadLine{std::string("a.ndjson\0\0ustar  \0{\"word\":\"cat\"}", 32),
                "nul_byte", "tar archive"},
        BadLine{Nested(10000), "too_deep", "64 levels"},
        BadLine{Nested(64), "too_deep", "64 levels"},
        BadLine{WithField("\"word\":\"a\",\"word\":\"b\""), "duplicate_key",
                "word"}));

INSTANTIATE_TEST_SUITE_P(
    Strokes, BadLineTest,
    ::testing::Values(
        BadLine{R"({"word":"cat"})", "no_drawing", "drawing is missing"},
        BadLine{R"({"drawing":null})", "no_drawing", "drawing is missing"},
        BadLine{R"({"drawing":"cat"})", "broken_json", "drawing: not JSON"},
        BadLine{R"({"drawing":""})", "broken_json", "drawing: not JSON"},
        BadLine{R"({"drawing":"[[[1],[1]]] x"})", "broken_json", "not JSON"},
        BadLine{R"({"drawing":"[[[1],[NaN]]]"})", "not_a_number", "NaN"},
        BadLine{R"({"drawing":"[[[1],[1.5]]]"})", "not_whole", "1.5"},
        BadLine{R"({"drawing":"\"[[[1],[1]]]\""})", "bad_drawing",
                "expected a list"},
        BadLine{"{\"drawing\":\"" + std::string(65, '[') +
                    std::string(65, ']') + "\"}",
                "too_deep", "64 levels"},
        BadLine{R"({"drawing":{"0":1}})", "bad_drawing", "expected a list"},
        BadLine{R"({"drawing":[1]})", "bad_drawing", "stroke 0 is 1"},
        BadLine{R"({"drawing":[[[1]]]})", "bad_drawing", "has 1 lists"},
        BadLine{R"({"drawing":[[[1],[2],[3]],[[1],[2]]]})", "bad_drawing",
                "raw stroke 1 is not three lists"},
        BadLine{R"({"drawing":[[[1],[2]],[[1],[2],[3]]]})", "bad_drawing",
                "raw"},
        BadLine{R"({"drawing":[[[1,2],[2,3],[3]]]})", "unequal_xy",
                "2 x, 2 y and 1 t"},
        BadLine{R"({"drawing":[[[1e9],[2],[3]]]})", "out_of_range", "1000000"},
        BadLine{R"({"drawing":[[[1],2]]})", "bad_drawing", "two lists"},
        BadLine{R"({"drawing":[]})", "no_strokes", "no strokes"},
        BadLine{R"({"drawing":[[[1],[1]],[[],[]]]})", "empty_stroke",
                "stroke 1 has no points"},
        BadLine{R"({"drawing":[[[1,2],[3]]]})", "unequal_xy",
                "stroke 0 has 2 x but 1 y"},
        BadLine{R"({"drawing":[[[1],[1]],[[1],[2,3]]]})", "unequal_xy",
                "stroke 1 has 1 x but 2 y"},
        BadLine{R"({"drawing":[[[1,300],[3,4]]]})", "out_of_range",
                "x[1] of stroke 0 is 300, expected a whole number in 0..255"},
        BadLine{R"({"drawing":[[[1],[-1]]]})", "out_of_range",
                "y[0] of stroke 0 is -1"},
        BadLine{R"({"drawing":[[[256],[1]]]})", "out_of_range", "256"},
        BadLine{R"({"drawing":[[[1e300],[1]]]})", "out_of_range", "300"},
        BadLine{R"({"drawing":[[[1.5],[1]]]})", "not_whole", "1.5"},
        BadLine{R"({"drawing":[[["1"],[1]]]})", "not_a_number", "\"1\""},
        BadLine{R"({"drawing":[[[true],[1]]]})", "not_a_number", "true"},
        BadLine{R"({"drawing":[[[null],[1]]]})", "not_a_number", "null"},
        BadLine{Points(65536), "too_large", "65535"}));

INSTANTIATE_TEST_SUITE_P(
    Columns, BadLineTest,
    ::testing::Values(
        BadLine{WithField(R"("word":7)"), "bad_word", "expected a string"},
        BadLine{WithField(R"("word":"")"), "bad_word", "empty"},
        BadLine{WithField("\"word\":\"" + std::string(256, 'a') + "\""),
                "bad_word", "255"},
        BadLine{WithField(R"("word":"a\u0000b")"), "bad_word", "control"},
        BadLine{WithField(R"("word":"a\nb")"), "bad_word", "control"},
        BadLine{WithField(R"("word":"a\u009bb")"), "bad_word", "control"},
        BadLine{WithField(R"("countrycode":1)"), "bad_countrycode", "string"},
        BadLine{WithField(R"("countrycode":"01234567890123456")"),
                "bad_countrycode", "16"},
        BadLine{WithField(R"("timestamp":1488497110074)"), "bad_timestamp",
                "date_format=\"iso\""},
        BadLine{WithField(R"("timestamp":1488497110.5)"), "bad_timestamp",
                "date_format=\"iso\""},
        BadLine{WithField(R"("timestamp":[])"), "bad_timestamp",
                "expected a string"},
        BadLine{WithField(R"("timestamp":"2017-03-02T23:25:10 CET")"),
                "bad_timestamp", "ISO 8601"},
        BadLine{WithField(R"("timestamp":"2017-02-29 00:00:00 UTC")"),
                "bad_timestamp", "2017-02-29"},
        BadLine{WithField(R"("recognized":"yes")"), "bad_recognized",
                "\"yes\""},
        BadLine{WithField(R"("recognized":2)"), "bad_recognized", "2"},
        BadLine{WithField(R"("recognized":0.5)"), "bad_recognized", "0.5"},
        BadLine{WithField(R"("recognized":[])"), "bad_recognized", "[]"},
        BadLine{WithField(R"("key_id":0)"), "bad_key_id", "key_id is 0"},
        BadLine{WithField(R"("key_id":-7)"), "bad_key_id", "-7"},
        BadLine{WithField(R"("key_id":9223372036854775808)"), "bad_key_id",
                "9223372036854775807"},
        BadLine{WithField(R"("key_id":1.5)"), "bad_key_id", "1.5"},
        BadLine{WithField(R"("key_id":9007199254740994.0)"), "bad_key_id",
                "9.007199254740994e+15"},
        BadLine{WithField(R"("key_id":"9007199254740994.0")"), "bad_key_id",
                "9007199254740994.0"},
        BadLine{WithField(R"("key_id":true)"), "bad_key_id", "true"},
        BadLine{WithField(R"("key_id":"")"), "bad_key_id", "decimal"},
        BadLine{WithField(R"("key_id":"0")"), "bad_key_id", "\"0\""},
        BadLine{WithField(R"("key_id":"-5")"), "bad_key_id", "-5"},
        BadLine{WithField(R"("key_id":"007")"), "bad_key_id", "leading"},
        BadLine{WithField(R"("key_id":" 7")"), "bad_key_id", "decimal"},
        BadLine{WithField(R"("key_id":"7x")"), "bad_key_id", "7x"},
        BadLine{WithField(R"("key_id":"9223372036854775808")"), "bad_key_id",
                "9223372036854775807"}));

TEST(NdjsonFormatTest, TheLimitsThemselvesAreGood) {
  const ParsedChunk parsed =
      Parse(Points(65535) + "\n" + Nested(63) + "\n" +
            WithField(R"("key_id":"9223372036854775807")") + "\n" +
            WithField("\"word\":\"" + std::string(255, 'a') + "\"") + "\n" +
            WithField(R"("key_id":"1","word":"\u732b \"quoted\" \\")") + "\n");
  EXPECT_EQ(parsed.errors.Summary(), "");
  ASSERT_EQ(parsed.drawings.size(), 5);
  const std::vector<Drawing> drawings = parsed.drawings.Unpack();
  EXPECT_EQ(drawings[2].key_id, INT64_MAX);
  EXPECT_EQ(drawings[4].word, "猫 \"quoted\" \\");
}

TEST(NdjsonFormatTest, TheGoldenFilesAreAcceptedAndRefusedLineByLine) {
  const std::string golden = INKSTREAM_GOLDEN;
  const ParsedChunk good =
      Parse(testing::ReadWholeFile(golden + "/ndjson/good.ndjson"));
  EXPECT_EQ(good.drawings.size(), 4);
  EXPECT_EQ(good.errors.Summary(), "");
  const ParsedChunk broken =
      Parse(testing::ReadWholeFile(golden + "/ndjson/broken.ndjson"));
  EXPECT_EQ(broken.read, 16);
  EXPECT_EQ(broken.errors.total(), 16);
}

}  // namespace
}  // namespace inkstream::ingest
