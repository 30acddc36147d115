#include "server/ingest/ingest_job.h"

#include <atomic>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/compressed_bytes.h"
#include "tests/support/fake_store_writer.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::ingest {
namespace {

using ::inkstream::testing::FakeStoreWriter;
using ::inkstream::testing::Gzip;
using ::inkstream::testing::ScratchDirectory;
using ::inkstream::testing::Zstd;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string GoodLine(int key) {
  return absl::StrCat("{\"word\":\"w", key % 3, "\",\"key_id\":\"", key,
                      "\",\"drawing\":[[[", key % 256, ",1],[2,3]]]}\n");
}

std::string GoodLines(int first, int count) {
  std::string lines;
  for (int key = first; key < first + count; ++key) lines += GoodLine(key);
  return lines;
}

class IngestJobTest : public ::testing::Test {
 protected:
  absl::Status Run(const std::vector<std::string>& paths) {
    options_.inputs.clear();
    for (const std::string& path : paths) {
      options_.inputs.push_back({path, std::filesystem::file_size(path)});
    }
    writer_ = FakeStoreWriter();
    writer_.durable_drawings = durable_;
    report_ = IngestReport();
    return RunIngest(options_, &writer_, &report_);
  }

  void ExpectKeysFrom1To(size_t count) {
    ASSERT_EQ(writer_.kept.size(), count);
    for (size_t i = 0; i < count; ++i) {
      ASSERT_EQ(writer_.kept[i].key_id, static_cast<int64_t>(i + 1));
    }
  }

  const ScratchDirectory scratch_;
  IngestOptions options_;
  FakeStoreWriter writer_;
  uint64_t durable_ = 0;
  IngestReport report_;
};

TEST_F(IngestJobTest, OrderIsInputOrderForAnyNumberOfThreads) {
  const std::vector<std::string> paths = {
      scratch_.Write("z", GoodLines(1, 20000)),
      scratch_.Write("m", Gzip(GoodLines(20001, 20000))),
      scratch_.Write("a", Zstd(GoodLines(40001, 20000)))};
  for (const int threads : {1, 2, 4, 7}) {
    options_.threads = threads;
    ASSERT_TRUE(Run(paths).ok());
    ExpectKeysFrom1To(60000);
    EXPECT_TRUE(writer_.finished);
    EXPECT_FALSE(writer_.discarded);
    EXPECT_EQ(report_.read, 60000);
    EXPECT_EQ(report_.kept, 60000);
    EXPECT_EQ(report_.fingerprint, "fingerprint");
    EXPECT_EQ(report_.bytes_read, report_.bytes_total);
  }
}

TEST_F(IngestJobTest, TheErrorsFileDoesNotDependOnThreads) {
  std::string lines;
  for (int i = 0; i < 30000; ++i) {
    lines += i % 100 == 0 ? absl::StrCat("{bad ", i, "\n") : GoodLine(i + 1);
  }
  const std::string path = scratch_.Write("a", lines);
  options_.max_errors = *MaxErrors::Parse("1%");
  std::string first;
  for (const int threads : {1, 2, 5}) {
    options_.threads = threads;
    ASSERT_TRUE(Run({path}).ok());
    const std::string json =
        report_.errors.ToJson(report_.read, report_.kept, {path});
    if (first.empty()) first = json;
    EXPECT_EQ(json, first);
  }
  EXPECT_EQ(report_.read, 30000);
  EXPECT_EQ(report_.kept, 29700);
  EXPECT_EQ(report_.errors.examples().size(), 100);
  EXPECT_EQ(report_.errors.examples()[99].line, 9901);
}

TEST_F(IngestJobTest, ANumberOfErrorsStopsAtOnce) {
  std::string lines = GoodLines(1, 10) + "{a\n{b\n{c\n";
  lines += GoodLines(11, 200000);
  options_.max_errors = *MaxErrors::Parse("2");
  const absl::Status status = Run({scratch_.Write("a", lines)});
  EXPECT_TRUE(absl::IsOutOfRange(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("--max-errors 2"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("broken_json: 3"));
  EXPECT_TRUE(writer_.discarded);
  EXPECT_FALSE(writer_.finished);
  EXPECT_LT(report_.read, 100000);
  EXPECT_EQ(report_.errors.total(), 3);
}

TEST_F(IngestJobTest, APercentageIsJudgedAtTheEnd) {
  const std::string path =
      scratch_.Write("a", "{a\n" + GoodLines(1, 98) + "{b\n");
  options_.max_errors = *MaxErrors::Parse("2%");
  EXPECT_TRUE(Run({path}).ok());
  options_.max_errors = *MaxErrors::Parse("1.9%");
  EXPECT_TRUE(absl::IsOutOfRange(Run({path})));
  EXPECT_TRUE(writer_.discarded);
  EXPECT_EQ(report_.read, 100);
}

TEST_F(IngestJobTest, ATruncatedFileKeepsNothing) {
  const std::string whole = Gzip(GoodLines(1, 50000));
  const std::string good = scratch_.Write("good", GoodLines(1, 10));
  const std::string cut =
      scratch_.Write("cut.gz", whole.substr(0, whole.size() - 100));
  const absl::Status status = Run({good, cut});
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("cut.gz"));
  EXPECT_TRUE(writer_.discarded);
  EXPECT_FALSE(writer_.finished);
}

TEST_F(IngestJobTest, NoDrawingsAtAllIsAnError) {
  const absl::Status empty = Run({scratch_.Write("empty", "\n\n")});
  EXPECT_TRUE(absl::IsInvalidArgument(empty)) << empty;
  EXPECT_THAT(std::string(empty.message()), HasSubstr("no drawings in"));
  EXPECT_TRUE(writer_.discarded);
  options_.max_errors = *MaxErrors::Parse("100%");
  EXPECT_TRUE(absl::IsInvalidArgument(Run({scratch_.Write("bad", "{a\n")})));
  EXPECT_TRUE(writer_.discarded);
}

TEST_F(IngestJobTest, AnEmptyFileAmongOthersIsNone) {
  EXPECT_TRUE(
      Run({scratch_.Write("a", GoodLines(1, 5)), scratch_.Write("b", ""),
           scratch_.Write("c", GoodLines(6, 5))})
          .ok());
  ExpectKeysFrom1To(10);
  EXPECT_THAT(report_.empty, ElementsAre(scratch_.File("b")));
}

TEST_F(IngestJobTest, AnInterruptKeepsSegmentsThatAreFinished) {
  const std::string path = scratch_.Write("a", GoodLines(1, 200000));
  std::atomic<bool> interrupted{false};
  options_.interrupted = [&] { return interrupted.load(); };
  options_.progress = [&](const IngestReport&) { interrupted = true; };
  durable_ = 1;
  EXPECT_TRUE(absl::IsCancelled(Run({path})));
  EXPECT_FALSE(writer_.discarded);
  EXPECT_FALSE(writer_.finished);
  // Where none is, there is nothing to go on with.
  durable_ = 0;
  interrupted = false;
  EXPECT_TRUE(absl::IsCancelled(Run({path})));
  EXPECT_TRUE(writer_.discarded);
}

TEST_F(IngestJobTest, AFullDiskEndsTheIngestAndKeepsWhatIsDurable) {
  const std::string path = scratch_.Write("a", GoodLines(1, 200000));
  options_.inputs = {{path, 1}};
  writer_.durable_drawings = 1;
  writer_.append_status = absl::ResourceExhaustedError("disk full");
  const absl::Status status = RunIngest(options_, &writer_, &report_);
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_FALSE(writer_.discarded);
}

}  // namespace
}  // namespace inkstream::ingest
