#include "server/ingest/input/input_format.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/ingest/ingest_fixture.h"
#include "tests/support/compressed_bytes.h"

namespace inkstream::ingest {
namespace {

using ::testing::HasSubstr;

const std::string kNdjson = "{\"word\":\"cat\",\"drawing\":[[[1],[2]]]}\n";
const std::string kJson = "[{\"word\":\"cat\",\"drawing\":[[[1],[2]]]}]";
const std::string kCsv = "word,drawing\ncat,\"[[[1], [2]]]\"\n";
const std::string kBin("\x07\0\0\0\0\0\0\0US\x01\0\0\0\0\x01\0\x01\0\x01\x02",
                       21);

class InputFormatTest : public IngestFixture {};

TEST_F(InputFormatTest, ContentDecidesWhateverTheNameAndThePacking) {
  for (const std::string& text : {kNdjson, kJson, kCsv, kBin}) {
    for (const char* name : {"a.ndjson", "cat.bin", "a.csv", "a.json"}) {
      for (const std::string& bytes :
           {text, testing::Gzip(text), testing::Zstd(text)}) {
        const absl::Status status = Ingest(name, bytes);
        ASSERT_TRUE(status.ok()) << name << ": " << status;
        ASSERT_EQ(writer_.kept.size(), 1);
        EXPECT_EQ(writer_.kept.front().y.front(), 2);
      }
    }
  }
}

TEST_F(InputFormatTest, SeveralFormatsAtOnceKeepTheirOrder) {
  options_.inputs =
      *ListInputs({scratch_.Write("1", kJson), scratch_.Write("dog.bin", kBin),
                   scratch_.Write("3", kCsv), scratch_.Write("4", kNdjson)});
  ASSERT_TRUE(IngestInputs().ok());
  ASSERT_EQ(writer_.kept.size(), 4);
  EXPECT_EQ(writer_.kept[1].word, "dog");
  EXPECT_EQ(writer_.kept[2].word, "cat");
}

TEST_F(InputFormatTest, AWordThatIsGivenNamesThoseOfBinOnly) {
  options_.word = "ice cream";
  options_.inputs = *ListInputs(
      {scratch_.Write("dog.bin", kBin), scratch_.Write("b", kNdjson)});
  ASSERT_TRUE(IngestInputs().ok());
  EXPECT_EQ(writer_.kept[0].word, "ice cream");
  EXPECT_EQ(writer_.kept[1].word, "cat");
}

TEST_F(InputFormatTest, AFormatThatIsGivenIsNotGuessed) {
  options_.format = InputFormat::kBin;
  EXPECT_THAT(std::string(Ingest("x", kNdjson).message()),
              HasSubstr("ends inside record 1"));
  options_.format = InputFormat::kJson;
  EXPECT_THAT(std::string(Ingest("x", kCsv).message()),
              HasSubstr("x has no JSON array"));
  options_.format = InputFormat::kNdjson;
  // Nothing good in it: no store.
  EXPECT_FALSE(Ingest("x", kJson).ok());
  EXPECT_EQ(report_.errors.count(ErrorKind::kNotAnObject), 1);
}

TEST_F(InputFormatTest, OnlyRawRefusesDrawingsWithoutTimes) {
  options_.parser.only_raw = true;
  options_.format = InputFormat::kNdjson;
  ASSERT_TRUE(Ingest("x", kNdjson + "{\"drawing\":[[[1],[2],[0]]]}\n").ok());
  EXPECT_EQ(report_.kept, 1);
  EXPECT_THAT(Example(0), HasSubstr("--format raw"));
}

TEST_F(InputFormatTest, Utf16IsNamedWithAndWithoutItsMark) {
  for (const bool little : {true, false}) {
    for (const std::string& text : {kNdjson, kJson}) {
      std::string wide;
      for (const char c : text)
        wide += little ? std::string{c, 0} : std::string{0, c};
      for (const std::string& mark :
           {std::string(), std::string(little ? "\xFF\xFE" : "\xFE\xFF")}) {
        EXPECT_THAT(std::string(Ingest("x", mark + wide).message()),
                    HasSubstr("is UTF-16 text"));
      }
    }
  }
}

TEST(ParseInputFormatTest, NamesAreThoseOfTheFlag) {
  EXPECT_EQ(ParseInputFormat("raw"), InputFormat::kNdjson);
  EXPECT_EQ(ParseInputFormat("csv"), InputFormat::kCsv);
  EXPECT_EQ(ParseInputFormat("CSV"), std::nullopt);
}

}  // namespace
}  // namespace inkstream::ingest
