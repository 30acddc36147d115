#include "server/app/flags/view_flags.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ViewFlagsTest : public ::testing::Test {
 protected:
  std::string FileOf(const std::string& text) {
    return scratch_.Write("keys.txt", text);
  }

  const testing::ScratchDirectory scratch_;
};

TEST_F(ViewFlagsTest, EveryFlagIsOfTheView) {
  ViewFlags flags;
  flags.view.split = "train[:10%]";
  flags.view.classes = {"cat", "dog"};
  flags.where = {"countrycode not in DE, FR", "points<=250"};
  flags.view.max_per_class = 7;
  flags.view.fraction = 0.5;
  flags.fold = "1/5:held-out";
  const auto view = ViewOf(flags);
  ASSERT_TRUE(view.ok()) << view.status();
  View wanted;
  wanted.split = "train[:10%]";
  wanted.classes = {"cat", "dog"};
  wanted.where = {{"countrycode", WhereOp::kNotIn, {"DE", "FR"}},
                  {"points", WhereOp::kLe, {"250"}}};
  wanted.max_per_class = 7;
  wanted.fraction = 0.5;
  wanted.fold = Fold{1, 5, true};
  EXPECT_EQ(*view, wanted);
}

TEST_F(ViewFlagsTest, AllIsEveryDrawing) {
  ViewFlags flags;
  flags.view.split = "all";
  EXPECT_EQ(*ViewOf(flags), View());
  EXPECT_THAT(KeysOf(flags)->include, IsEmpty());
}

TEST_F(ViewFlagsTest, KeysStandALineEach) {
  ViewFlags flags;
  flags.include_keys = FileOf("5\n\n  9223372036854775807 \r\n5");
  EXPECT_THAT(KeysOf(flags)->include, ElementsAre(5, 9223372036854775807, 5));
  flags.include_keys.clear();
  flags.exclude_keys = FileOf("");
  EXPECT_THAT(KeysOf(flags)->exclude, IsEmpty());
}

TEST_F(ViewFlagsTest, WhatIsWrongInAFileOfKeysIsNamed) {
  ViewFlags flags;
  for (const std::string wrong :
       {"0", "-3", "4 5", "0x10", "9223372036854775808", "1.5"}) {
    flags.exclude_keys = FileOf("12\n" + wrong + "\n");
    const absl::Status status = KeysOf(flags).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << wrong;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("keys.txt, line 2, '" + wrong + "'"));
  }
  flags.exclude_keys.clear();
  flags.include_keys = FileOf("\n");
  EXPECT_THAT(std::string(KeysOf(flags).status().message()),
              HasSubstr("at least one key_id"));
  flags.include_keys = scratch_.File("none.txt");
  EXPECT_TRUE(absl::IsNotFound(KeysOf(flags).status()));
  flags.include_keys = scratch_.path();
  EXPECT_FALSE(KeysOf(flags).ok()) << "a directory";
}

}  // namespace
}  // namespace inkstream::app
