#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/ingest/ingest_job.h"
#include "tests/support/compressed_bytes.h"
#include "tests/support/fake_store_writer.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::ingest {
namespace {

using ::testing::ElementsAre;
using testing::FakeStoreWriter;
using testing::Gzip;
using ::testing::HasSubstr;
using testing::ScratchDirectory;

template <typename T>
void Append(T value, std::string* bytes) {
  bytes->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

std::string Record(uint64_t key, int8_t recognized = 1,
                   const std::vector<std::string>& strokes = {
                       std::string("\x0a\x14\x01\x02", 4)}) {
  std::string bytes;
  Append(key, &bytes);
  bytes += "US";
  Append(recognized, &bytes);
  Append(uint32_t{1485297513}, &bytes);
  Append(static_cast<uint16_t>(strokes.size()), &bytes);
  for (const std::string& stroke : strokes) {
    Append(static_cast<uint16_t>(stroke.size() / 2), &bytes);
    bytes += stroke;
  }
  return bytes;
}

class BinFormatTest : public ::testing::Test {
 protected:
  absl::Status Ingest(const std::string& name, const std::string& bytes,
                      int threads = 1) {
    IngestOptions options;
    options.inputs = {{scratch_.Write(name, bytes), bytes.size()}};
    options.threads = threads;
    options.max_errors = *MaxErrors::Parse("100%");
    writer_ = FakeStoreWriter();
    report_ = IngestReport();
    return RunIngest(options, &writer_, &report_);
  }

  ScratchDirectory scratch_;
  FakeStoreWriter writer_;
  IngestReport report_;
};

TEST_F(BinFormatTest, EveryFieldIsReadAndTheWordIsTheFilesStem) {
  ASSERT_TRUE(Ingest("The Eiffel Tower.bin", Record(4897919444451328)).ok());
  ASSERT_EQ(writer_.kept.size(), 1);
  const Drawing& drawing = writer_.kept.front();
  EXPECT_EQ(drawing.word, "The Eiffel Tower");
  EXPECT_EQ(drawing.key_id, 4897919444451328);
  EXPECT_EQ(drawing.countrycode, "US");
  EXPECT_EQ(drawing.recognized, true);
  EXPECT_EQ(drawing.timestamp, (Timestamp{1485297513000000, 0}));
  EXPECT_THAT(drawing.stroke_ends, ElementsAre(2));
  EXPECT_THAT(drawing.x, ElementsAre(10, 20));
  EXPECT_THAT(drawing.y, ElementsAre(1, 2));
}

TEST_F(BinFormatTest, ContentDecidesNotTheName) {
  ASSERT_TRUE(Ingest("full_binary_cat.bin.gz", Gzip(Record(7))).ok());
  EXPECT_EQ(writer_.kept.front().word, "cat");
  ASSERT_TRUE(Ingest("drawings", Record(7)).ok());
  EXPECT_FALSE(writer_.kept.front().word.has_value());
  ASSERT_TRUE(Ingest("dog.bin", "{\"drawing\":[[[1],[2]]]}\n").ok());
  EXPECT_THAT(writer_.kept.front().x, ElementsAre(1));
}

TEST_F(BinFormatTest, AWordThatIsNoTextRefusesTheFileBeforeItIsRead) {
  for (const char* name :
       {"caf\xE9.bin", "a\nb.bin", "%00.bin", "%1B[31m.bin"}) {
    const absl::Status status = Ingest(name, Record(1) + Record(2));
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("--word"));
    EXPECT_EQ(report_.read, 0);
  }
}

TEST_F(BinFormatTest, ManyRecordsKeepTheirOrderOnAnyNumberOfThreads) {
  std::string bytes;
  for (uint64_t key = 1; key <= 50000; ++key) bytes += Record(key);
  for (const int threads : {1, 3}) {
    ASSERT_TRUE(Ingest("cat.bin", bytes, threads).ok());
    ASSERT_EQ(writer_.kept.size(), 50000);
    for (int64_t i = 0; i < 50000; ++i) {
      ASSERT_EQ(writer_.kept[i].key_id, i + 1);
    }
  }
}

TEST_F(BinFormatTest, ABadRecordKnowsItsPlaceAndDoesNotStopTheRest) {
  const std::string bytes = Record(1) + Record(2, 5) + Record(3, 1, {}) +
                            Record(4, 1, {""}) + Record(5);
  ASSERT_TRUE(Ingest("cat.bin", bytes).ok());
  EXPECT_EQ(report_.read, 5);
  EXPECT_EQ(report_.kept, 2);
  const auto& examples = report_.errors.examples();
  ASSERT_EQ(examples.size(), 3);
  EXPECT_EQ(examples[0].kind, ErrorKind::kBadRecognized);
  EXPECT_EQ(examples[0].line, 2);
  EXPECT_EQ(examples[0].offset, Record(1).size());
  EXPECT_EQ(examples[1].kind, ErrorKind::kNoStrokes);
  EXPECT_EQ(examples[2].kind, ErrorKind::kEmptyStroke);
}

TEST_F(BinFormatTest, AFileThatEndsInsideARecordIsNamedAndNothingIsKept) {
  const std::string whole = Record(1) + Record(2);
  for (size_t cut = Record(1).size() + 1; cut < whole.size(); ++cut) {
    const absl::Status status = Ingest("cat.bin", whole.substr(0, cut));
    ASSERT_TRUE(absl::IsDataLoss(status)) << cut << ": " << status;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("cat.bin ends inside record 2 at byte 23"));
    EXPECT_TRUE(writer_.discarded);
  }
}

TEST_F(BinFormatTest, ARecordOverTheLimitIsRefusedWithoutBufferingIt) {
  std::string bytes = Record(1).substr(0, 15);
  Append(uint16_t{65535}, &bytes);
  for (int stroke = 0; stroke < 100; ++stroke) {
    Append(uint16_t{65535}, &bytes);
    bytes.append(2 * 65535, 'x');
  }
  const absl::Status status = Ingest("cat.bin", bytes);
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("over the limit of"));
}

}  // namespace
}  // namespace inkstream::ingest
