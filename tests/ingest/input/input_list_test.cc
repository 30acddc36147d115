#include "server/ingest/input/input_list.h"

#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::ingest {
namespace {

using ::inkstream::testing::ScratchDirectory;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> Paths(const std::vector<InputFile>& inputs) {
  std::vector<std::string> paths;
  for (const InputFile& input : inputs) paths.push_back(input.path);
  return paths;
}

TEST(InputListTest, ArgumentsAsGivenAndDirectoriesByName) {
  const ScratchDirectory scratch;
  mkdir(scratch.File("d").c_str(), 0755);
  scratch.Write("d/b.ndjson", "22");
  scratch.Write("d/a.ndjson", "1");
  scratch.Write("d/.hidden", "");
  scratch.Write("z", "333");
  const absl::StatusOr<std::vector<InputFile>> inputs =
      ListInputs({scratch.File("z"), "-", scratch.File("d")});
  ASSERT_TRUE(inputs.ok()) << inputs.status();
  EXPECT_THAT(Paths(*inputs),
              ElementsAre(scratch.File("z"), "-", scratch.File("d/a.ndjson"),
                          scratch.File("d/b.ndjson")));
  EXPECT_EQ((*inputs)[0].bytes, 3);
  EXPECT_EQ((*inputs)[1].bytes, 0);
  EXPECT_EQ((*inputs)[3].bytes, 2);
}

TEST(InputListTest, WhatIsMissingIsNamed) {
  const absl::Status status = ListInputs({"/none/a.ndjson"}).status();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("/none/a.ndjson"));
}

TEST(InputListTest, DirectoriesWithoutFilesOrWithDirectoriesAreRefused) {
  const ScratchDirectory scratch;
  const absl::Status empty = ListInputs({scratch.path()}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(empty));
  EXPECT_THAT(std::string(empty.message()), HasSubstr("has no files"));
  scratch.Write("a", "1");
  mkdir(scratch.File("inner").c_str(), 0755);
  const absl::Status nested = ListInputs({scratch.path()}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(nested));
  EXPECT_THAT(std::string(nested.message()), HasSubstr("inner"));
}

TEST(InputListTest, WhatDownloadsAndEditorsLeaveIsRefusedByName) {
  for (const char* name :
       {"cat.ndjson.part", "cat.ndjson.part.tag", "cat.ndjson.partial",
        "Unconfirmed 77.crdownload", "cat.ndjson.CRDOWNLOAD",
        "cat.ndjson.download", "cat.ndjson.tmp", "cat.ndjson_.gstmp",
        "cat.ndjson.aria2", "cat.ndjson.filepart"}) {
    const ScratchDirectory scratch;
    scratch.Write("a.ndjson", "1");
    const std::string file = scratch.Write(name, "1");
    for (const std::string& argument : {scratch.path(), file}) {
      const absl::Status status = ListInputs({argument}).status();
      EXPECT_TRUE(absl::IsInvalidArgument(status)) << name << status;
      EXPECT_THAT(std::string(status.message()),
                  HasSubstr(absl::StrCat(name, " is not finished")));
    }
  }
  for (const char* name : {"cat.ndjson~", "cat.ndjson.bak", "a.orig"}) {
    const ScratchDirectory scratch;
    scratch.Write(name, "1");
    const absl::Status status = ListInputs({scratch.path()}).status();
    EXPECT_THAT(std::string(status.message()),
                HasSubstr(absl::StrCat(name, " is an editor's copy")));
  }
}

TEST(InputListTest, WhatHasMoreBehindTheEndOfItsNameIsNoPartOfADirectory) {
  for (const char* name :
       {"cat.ndjson.7Ab3F2", "cat.ndjson.1", "cat.ndjson.gz.2", "#cat.ndjson#",
        "CAT.NDJSON.aa", "cat.bin.part1", "cat.csv.etag", "cat.ndjson.!ut",
        "cat.ndjson_", "cat.jsonl.sb-1", "cat.json (1)", "cat.bin.gstmp"}) {
    const ScratchDirectory scratch;
    scratch.Write("a.ndjson", "1");
    const std::string file = scratch.Write(name, "1");
    const absl::Status status = ListInputs({scratch.path()}).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << name << status;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr(absl::StrCat(name, " is half a file or a second")));
    EXPECT_TRUE(ListInputs({file}).ok()) << "named by itself: " << name;
  }
  for (const char* name : {"cat.bin.ndjson", "cat.ndjson.zst", "cat.binary.txt",
                           "cat (1).ndjson", "my.json5", "cat.ndjson.txt",
                           "cat", "cat.v2.csv.gz", "cat.ndjson.7z"}) {
    const ScratchDirectory scratch;
    scratch.Write(name, "1");
    EXPECT_TRUE(ListInputs({scratch.path()}).ok()) << name;
  }
}

TEST(InputListTest, APipeMayHaveAnyName) {
  const ScratchDirectory scratch;
  const std::string pipe = scratch.File("drawings.tmp");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_TRUE(ListInputs({pipe}).ok());
}

TEST(InputListTest, WhatLiesBesideDataIsPassedOverAndNamed) {
  const ScratchDirectory scratch;
  for (const char* name : {"cat.ndjson", "words.txt", "readme first.ndjson",
                           "README.txt", "LICENSE", "Thumbs.db", ".DS_Store",
                           "cat.ndjson.md5", "SHA256SUMS", "_SUCCESS"}) {
    scratch.Write(name, "1");
  }
  std::vector<std::string> passed_over;
  const absl::StatusOr<std::vector<InputFile>> inputs =
      ListInputs({scratch.path()}, &passed_over);
  ASSERT_TRUE(inputs.ok()) << inputs.status();
  EXPECT_THAT(Paths(*inputs), ElementsAre(scratch.File("cat.ndjson"),
                                          scratch.File("readme first.ndjson"),
                                          scratch.File("words.txt")));
  EXPECT_THAT(
      passed_over,
      ElementsAre(scratch.File(".DS_Store"), scratch.File("LICENSE"),
                  scratch.File("README.txt"), scratch.File("SHA256SUMS"),
                  scratch.File("Thumbs.db"), scratch.File("_SUCCESS"),
                  scratch.File("cat.ndjson.md5")));
  // Whoever names one means it.
  EXPECT_EQ(ListInputs({scratch.File("README.txt")})->size(), 1);
}

TEST(InputListTest, AStoreIsNoInput) {
  const ScratchDirectory scratch;
  scratch.Write("MANIFEST", "{}");
  scratch.Write("segment-000000.mdb", "1");
  const absl::Status status = ListInputs({scratch.path()}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("is a store"));
}

TEST(InputListTest, StandardInputOnlyOnce) {
  EXPECT_TRUE(absl::IsInvalidArgument(ListInputs({"-", "-"}).status()));
}

TEST(InputListTest, UnreadableFilesAreNamed) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read everything";
  const ScratchDirectory scratch;
  const std::string file = scratch.Write("secret", "1");
  chmod(file.c_str(), 0);
  const absl::Status status = ListInputs({file}).status();
  EXPECT_TRUE(absl::IsPermissionDenied(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("secret"));
}

}  // namespace
}  // namespace inkstream::ingest
