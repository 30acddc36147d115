#include "server/ingest/input_list.h"

#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

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
