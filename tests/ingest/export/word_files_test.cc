#include "server/ingest/export/word_files.h"

#include <sys/resource.h>

#include <cerrno>
#include <csignal>
#include <filesystem>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::ingest {
namespace {

using ::inkstream::testing::ScratchDirectory;
using ::testing::HasSubstr;

// Bytes that a file's buffer holds are written when it is closed.
TEST(WordFilesTest,
     AFileThatCannotBeWrittenIsAnErrorAlsoWhenOnlyItsCloseFails) {
  const ScratchDirectory scratch;
  std::signal(SIGXFSZ, SIG_IGN);
  absl::StatusOr<std::unique_ptr<WordFiles>> files =
      WordFiles::Create(scratch.File("out"), ".bin");
  ASSERT_TRUE(files.ok()) << files.status();
  ASSERT_TRUE((*files)->Append("cat", "few bytes").ok());
  rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit none = {0, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &none), 0);
  errno = 0;
  const absl::Status status = (*files)->Close();
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("File too large"));
  EXPECT_FALSE(std::filesystem::exists(scratch.File("out")));
}

}  // namespace
}  // namespace inkstream::ingest
