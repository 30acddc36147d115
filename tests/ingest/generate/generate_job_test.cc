#include "server/ingest/generate/generate_job.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::ingest {
namespace {

using ::inkstream::testing::ReadWholeFile;
using ::inkstream::testing::ScratchDirectory;

class GenerateJobTest : public ::testing::Test {
 protected:
  std::string Generate(uint64_t drawings, uint64_t seed, int threads) {
    GenerateOptions options;
    options.drawings = drawings;
    options.seed = seed;
    options.classes = 30;
    options.threads = threads;
    options.output = scratch_.File("out.ndjson");
    EXPECT_TRUE(RunGenerate(options).ok());
    return ReadWholeFile(options.output);
  }

  const ScratchDirectory scratch_;
};

TEST_F(GenerateJobTest, SameSeedSameBytesForAnyNumberOfThreads) {
  const std::string one = Generate(5000, 1, 1);
  EXPECT_EQ(std::count(one.begin(), one.end(), '\n'), 5000);
  EXPECT_EQ(Generate(5000, 1, 2), one);
  EXPECT_EQ(Generate(5000, 1, 5), one);
  EXPECT_NE(Generate(5000, 2, 2), one);
}

TEST_F(GenerateJobTest, FewerDrawingsAreTheFirstOfMore) {
  const std::string many = Generate(2000, 9, 2);
  const std::string few = Generate(700, 9, 2);
  EXPECT_EQ(many.substr(0, few.size()), few);
}

TEST_F(GenerateJobTest, ADirectoryGetsAFileAClass) {
  GenerateOptions options;
  options.drawings = 90;
  options.classes = 18;  // the last is "ice cream"
  options.output = scratch_.File("official/");
  ASSERT_TRUE(RunGenerate(options).ok());
  size_t files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(options.output)) {
    const std::string text = ReadWholeFile(entry.path().string());
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 5) << entry;
    ++files;
  }
  EXPECT_EQ(files, 18);
  const std::string text = ReadWholeFile(options.output + "ice cream.ndjson");
  EXPECT_EQ(text.find("{\"word\":\"ice cream\""), 0);
}

TEST_F(GenerateJobTest, AnInterruptLeavesNothing) {
  std::atomic<bool> interrupted{false};
  GenerateOptions options;
  options.drawings = 1000000;
  options.classes = 30;
  options.output = scratch_.File("out.ndjson");
  options.interrupted = [&] { return interrupted.load(); };
  options.progress = [&](uint64_t) { interrupted = true; };
  EXPECT_TRUE(absl::IsCancelled(RunGenerate(options)));
  EXPECT_TRUE(std::filesystem::is_empty(scratch_.path()));
}

}  // namespace
}  // namespace inkstream::ingest
