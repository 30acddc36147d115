#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/ingest/formats/csv_row.h"
#include "tests/ingest/ingest_fixture.h"
#include "tests/support/compressed_bytes.h"

namespace inkstream::ingest {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::StartsWith;

constexpr char kHeader[] =
    "countrycode,drawing,key_id,recognized,timestamp,word\n";
constexpr char kRow[] =
    "US,\"[[[0, 255], [1, 2]], [[7], [9]]]\",5152802093400064,True,"
    "2017-03-29 09:50:21.606480,ice cream\n";

class CsvFormatTest : public IngestFixture {};

TEST_F(CsvFormatTest, ATrainingRowIsReadAndItsTimeIsThatOfTheNdjson) {
  ASSERT_TRUE(Ingest("x", absl::StrCat(kHeader, kRow)).ok());
  ASSERT_EQ(writer_.kept.size(), 1);
  const Drawing& drawing = writer_.kept.front();
  EXPECT_EQ(drawing.word, "ice cream");
  EXPECT_EQ(drawing.countrycode, "US");
  // Six digits are how Kaggle writes all of them.
  EXPECT_EQ(drawing.timestamp, (Timestamp{1490781021606480, 0}));
  EXPECT_EQ(drawing.recognized, true);
  EXPECT_EQ(drawing.key_id, 5152802093400064);
  EXPECT_THAT(drawing.stroke_ends, ElementsAre(2, 3));
  EXPECT_THAT(drawing.x, ElementsAre(0, 255, 7));
  EXPECT_THAT(drawing.y, ElementsAre(1, 2, 9));
}

TEST_F(CsvFormatTest, TheTestFormHasNoWord) {
  ASSERT_TRUE(Ingest("test_simplified.csv",
                     "key_id,countrycode,drawing\r\n"
                     "9000003627287624,DE,\"[[[17, 18], [3, 4]]]\"\r\n")
                  .ok());
  ASSERT_EQ(writer_.kept.size(), 1);
  EXPECT_FALSE(writer_.kept.front().word.has_value());
  EXPECT_EQ(writer_.kept.front().countrycode, "DE");
}

TEST_F(CsvFormatTest, RawRowsAreSimplifiedOrKept) {
  const std::string text =
      "drawing,word\n\"[[[100, 300.5], [50, 50], [0, 16]]]\",cat\n";
  ASSERT_TRUE(Ingest("x", text).ok());
  EXPECT_THAT(writer_.kept.front().x, ElementsAre(0, 255));
  EXPECT_EQ(report_.simplified, 1);
  options_.parser.keep_raw = true;
  ASSERT_TRUE(Ingest("x", text).ok());
  EXPECT_THAT(writer_.kept.front().raw.x, ElementsAre(100, 300.5));
  EXPECT_THAT(writer_.kept.front().raw.t, ElementsAre(0, 16));
}

TEST_F(CsvFormatTest, SemicolonsAndTabsPartFieldsWhereTheHeaderSaysSo) {
  for (const char* delimiter : {";", "\t"}) {
    const std::string text = absl::StrReplaceAll(
        "word|note|drawing|key_id\n"
        "ice cream|\"a|b\nc\"|[[[1, 255], [2, 3]]]|7\r\n"
        "\"a,b\"|x|\"[[[1],\n[2]]]\"|8\n",
        {{"|", delimiter}});
    for (const InputFormat format : {InputFormat::kDetect, InputFormat::kCsv}) {
      options_.format = format;
      ASSERT_TRUE(Ingest("x", text).ok());
      EXPECT_EQ(report_.errors.total(), 0) << Example(0);
      ASSERT_EQ(writer_.kept.size(), 2);
      EXPECT_EQ(writer_.kept[0].word, "ice cream");
      EXPECT_THAT(writer_.kept[0].x, ElementsAre(1, 255));
      EXPECT_EQ(writer_.kept[1].word, "a,b");
      EXPECT_EQ(writer_.kept[1].key_id, 8);
    }
  }
}

TEST_F(CsvFormatTest, OtherDelimitersAreTextOnceTheHeaderHasOne) {
  // After a ; that parts nothing a quote is astray and spoils its own row only.
  ASSERT_TRUE(Ingest("x",
                     "word,drawing\n"
                     "a;\"b,[]\n"
                     "c;d,\"[[[1],[2]]]\"\n")
                  .ok());
  EXPECT_EQ(report_.errors.count(ErrorKind::kBadRow), 1);
  ASSERT_EQ(writer_.kept.size(), 1);
  EXPECT_EQ(writer_.kept[0].word, "c;d");
}

TEST_F(CsvFormatTest, WhatPandasWritesOfItsColumnsIsRead) {
  ASSERT_TRUE(Ingest("x",
                     ",drawing,key_id,recognized,timestamp\n"
                     "0,\"[[[1],[2]]]\",5152802093400064.0,1.0,"
                     "2017-03-29 09:50:21.606480+00:00\n"
                     "1,\"[[[1],[2]]]\",5152802093400065,FALSE,"
                     "2017-03-29T09:50:21.606480Z\n"
                     "2,\"[[[1],[2]]]\",5.1528020934E+15,True,\n")
                  .ok());
  ASSERT_EQ(writer_.kept.size(), 2);
  EXPECT_EQ(writer_.kept[0].key_id, 5152802093400064);
  EXPECT_EQ(writer_.kept[0].recognized, true);
  EXPECT_EQ(writer_.kept[1].recognized, false);
  for (const Drawing& drawing : writer_.kept) {
    EXPECT_EQ(drawing.timestamp, (Timestamp{1490781021606480, 0}));
  }
  EXPECT_EQ(report_.errors.count(ErrorKind::kBadKeyId), 1);
}

TEST_F(CsvFormatTest, QuotesCommasAndLineEndsMayStandInsideQuotes) {
  ASSERT_TRUE(Ingest("x",
                     "word,drawing,note\n"
                     "\"a \"\"b\"\", c\",\"[[[1],\n[2]]]\",\"x\r\ny\"\n"
                     "\n"
                     "d,\"[[[3],[4]]]\",")
                  .ok());
  ASSERT_EQ(writer_.kept.size(), 2);
  EXPECT_EQ(writer_.kept[0].word, "a \"b\", c");
  EXPECT_THAT(writer_.kept[0].y, ElementsAre(2));
  EXPECT_EQ(writer_.kept[1].word, "d");
  EXPECT_THAT(report_.unknown_keys.counts(), ElementsAre(Pair("note", 2)));
}

TEST_F(CsvFormatTest, EmptyFieldsReadAsMissing) {
  ASSERT_TRUE(
      Ingest("x", absl::StrCat(kHeader, ",\"[[[1],[2]]]\",,,,\n")).ok());
  const Drawing& drawing = writer_.kept.front();
  EXPECT_FALSE(drawing.word.has_value() || drawing.key_id.has_value() ||
               drawing.recognized.has_value() || drawing.timestamp.has_value());
  EXPECT_EQ(report_.null_values.counts().at("word"), 1);
}

TEST_F(CsvFormatTest, ABadRowKnowsItsLineAndItsByteAndDoesNotStopTheRest) {
  const std::string first = "\"two\nlines\",\"[[[1],[2]]]\"\n";
  const std::string good = "cat,\"[[[1],[2]]]\"\n";
  ASSERT_TRUE(Ingest("x", absl::StrCat("word,drawing\n", good, "cat\n",
                                       "a\"b,\"[[[1],[2]]]\"\n",
                                       "cat,\"[[[1],[2,3]]]\"\n",
                                       "cat,\"[[[1],[256]]]\"\n", first, good))
                  .ok());
  EXPECT_EQ(report_.read, 7);
  EXPECT_EQ(report_.kept, 2);
  EXPECT_THAT(Example(0), StartsWith("bad_row at line 3, byte 31: the row has "
                                     "1 fields, the header 2"));
  EXPECT_THAT(Example(1), StartsWith("bad_row at line 4, byte 35: a quote"));
  EXPECT_THAT(Example(2), StartsWith("unequal_xy at line 5"));
  EXPECT_THAT(Example(3), StartsWith("out_of_range at line 6"));
  EXPECT_THAT(Example(4), StartsWith("bad_word at line 7"));
}

TEST_F(CsvFormatTest, AQuoteThatIsNotClosedIsNamedAndNothingIsKept) {
  const absl::Status status = Ingest(
      "x.csv", absl::StrCat(kHeader, kRow, "US,\"[[[1],[2]]]\nDE,,,,,\n"));
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("x.csv ends inside quotes: the row that begins at line "
                        "3 opens one"));
  EXPECT_TRUE(writer_.discarded);
}

TEST_F(CsvFormatTest, ARowOverTheLimitIsOneBadRecord) {
  const std::string text = absl::StrCat(
      kHeader, kRow, "US,\"", std::string(3 << 20, '1'), "\n\"\n", kRow);
  ASSERT_TRUE(Ingest("x", text).ok());
  EXPECT_EQ(report_.kept, 2);
  EXPECT_THAT(Example(0), StartsWith("line_too_long at line 3"));
}

TEST_F(CsvFormatTest, AHeaderThatNamesNoDrawingIsRefusedAndShown) {
  options_.format = InputFormat::kCsv;
  const absl::Status status = Ingest("x.csv", "word,strokes\ncat,1\n");
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("x.csv: the header row has no column 'drawing'"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("word,strokes"));
  EXPECT_FALSE(Ingest("x.csv", "drawing,word,word\n").ok());
}

TEST_F(CsvFormatTest, ManyRowsKeepTheirOrderWhateverTheChunks) {
  std::string text = "key_id,word,drawing\n";
  for (int key = 1; key <= 20000; ++key) {
    absl::StrAppend(&text, key, ",\"w\n,\",\"[[[", key % 256, "], [2]]]\"\n");
  }
  for (const int threads : {1, 3}) {
    options_.threads = threads;
    ASSERT_FALSE(Ingest("x", testing::Gzip(text)).ok());  // none is good
    // A word with a line end is refused by the store's rules, in its own line.
    ASSERT_EQ(report_.read, 20000);
    EXPECT_THAT(Example(99), StartsWith("bad_word at line 200,"));
  }
  for (size_t at = text.find("w\n,"); at != std::string::npos;
       at = text.find("w\n,", at)) {
    text.replace(at, 3, "wxy");
  }
  ASSERT_TRUE(Ingest("x", text).ok());
  ASSERT_EQ(writer_.kept.size(), 20000);
  for (int64_t i = 0; i < 20000; ++i) {
    ASSERT_EQ(writer_.kept[i].key_id, i + 1);
  }
}

TEST(SplitCsvRowTest, EveryRowThatIsQuotedComesBack) {
  const std::vector<std::vector<std::string>> rows = {
      {""}, {"", ""}, {"a", "b"}, {"\"", ",", "\n"}, {"a\"b\"", ""}, {"\"\""}};
  for (const auto& row : rows) {
    std::string text;
    for (const std::string& field : row) {
      if (!text.empty() || &field != &row.front()) text += ',';
      text += '"';
      for (const char c : field) text.append(c == '"' ? 2 : 1, c);
      text += '"';
    }
    std::vector<std::string> found;
    ASSERT_TRUE(SplitCsvRow(text, ',', &found)) << text;
    EXPECT_EQ(found, row) << text;
  }
}

}  // namespace
}  // namespace inkstream::ingest
