#include "server/ingest/input/file_word.h"

#include <fstream>
#include <string>
#include <utility>

#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace inkstream::ingest {
namespace {

using ::testing::HasSubstr;

// The same table tests the names of .npz files: one rule for both.
TEST(WordOfFileTest, TheTableOfNamesThatDownloadsGive) {
  std::ifstream table(INKSTREAM_GOLDEN "/file_words.txt");
  ASSERT_TRUE(table);
  int rows = 0;
  for (std::string line; std::getline(table, line); ++rows) {
    const std::pair<std::string, std::string> row = absl::StrSplit(line, '\t');
    for (const char* suffix : {".bin", ".BIN", ".Bin"}) {
      const std::string name = absl::StrReplaceAll(row.first, {{"@", suffix}});
      EXPECT_EQ(WordOfFile(name, ".bin"), row.second) << name;
      EXPECT_EQ(WordOfFile("/a.bin/b/" + name, ".bin"), row.second) << name;
    }
  }
  EXPECT_GT(rows, 10);
}

TEST(WordOfFileTest, ANameWithoutTheSuffixOrAWordHasNone) {
  for (const char* name : {"standard input", "cat", "cat.ndjson", ".bin",
                           "dir.bin/cat", "(1).bin", "full_binary_.bin"}) {
    EXPECT_EQ(WordOfFile(name, ".bin"), "") << name;
  }
}

TEST(CheckWordTest, IsAsTheStoreJudgesAWord) {
  EXPECT_TRUE(CheckWord("ice cream").ok());
  for (const std::string word :
       {"", "caf\xE9", "a\nb", "\x1B[31m", "\xC2\x9F"}) {
    const absl::Status status = CheckWord(word);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << word;
    EXPECT_THAT(std::string(status.message()), HasSubstr("word"));
  }
}

}  // namespace
}  // namespace inkstream::ingest
