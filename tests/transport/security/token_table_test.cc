#include "server/transport/security/token_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "absl/strings/str_cat.h"

namespace inkstream::transport {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(TokenTableTest, FindsWhoHoldsATokenByItsHashAlone) {
  const std::string alice = NewToken();
  const std::string bob = NewToken();
  const auto table = TokenTable::Parse(
      absl::StrCat("# who may call\n\n", TokenLine("alice", alice, {"a", "b"}),
                   "  # until May\n\t", TokenLine("bob", bob, {}), "\n"));
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->size(), 2U);
  ASSERT_NE(table->Find(alice), nullptr);
  EXPECT_EQ(table->Find(alice)->caller, "token:alice");
  EXPECT_TRUE(table->Find(alice)->MayRead("b"));
  EXPECT_FALSE(table->Find(alice)->MayRead("c"));
  EXPECT_TRUE(table->Find(bob)->MayRead("c"));
  EXPECT_EQ(table->Find(""), nullptr);
  EXPECT_EQ(table->Find(alice.substr(1)), nullptr);
  EXPECT_EQ(table->Find(absl::StrCat(alice, " ")), nullptr);
  // What is in the file is no token.
  const std::string line = TokenLine("alice", alice, {});
  EXPECT_EQ(table->Find(line.substr(6, 71)), nullptr);
}

TEST(TokenTableTest, NamesTheLineThatIsWrongAndNotWhatMayBeAToken) {
  const std::string right = TokenLine("a", NewToken(), {});
  for (const std::string& wrong :
       {std::string("a"), std::string("a secret *"), right + " more",
        std::string("a/b ") + right.substr(2), right.substr(0, 60) + " *",
        TokenLine("a", "t", {}).substr(0, 73) + " x,,y",
        TokenLine("a", "t", {}).substr(0, 73) + " x,*", right}) {
    const auto table = TokenTable::Parse(absl::StrCat(right, "\n", wrong));
    ASSERT_FALSE(table.ok()) << wrong;
    EXPECT_THAT(std::string(table.status().message()), HasSubstr("line 2: "));
    EXPECT_THAT(std::string(table.status().message()),
                Not(HasSubstr("secret")));
  }
}

TEST(TokenTableTest, CoversWhatStillHolds) {
  const std::string token = NewToken();
  const auto access =
      TokenTable::Parse(TokenLine("a", token, {"x", "y"}))->Find(token);
  const auto covered = [&](const std::string& line) {
    return TokenTable::Parse(line)->Covers(*access);
  };
  EXPECT_TRUE(covered(TokenLine("a", token, {"y", "x"})));
  EXPECT_TRUE(covered(TokenLine("a", token, {"x", "y", "z"})));
  EXPECT_TRUE(covered(TokenLine("a", token, {})));
  EXPECT_FALSE(covered(TokenLine("a", token, {"x"})));
  EXPECT_FALSE(covered(TokenLine("b", token, {})));
  EXPECT_FALSE(covered(TokenLine("a", NewToken(), {})));
  EXPECT_FALSE(covered(""));
}

TEST(TokenTableTest, NoTwoTokensAreEqual) {
  std::set<std::string> tokens;
  for (int i = 0; i < 1000; ++i) tokens.insert(NewToken());
  EXPECT_EQ(tokens.size(), 1000U);
  EXPECT_EQ(tokens.begin()->size(), 4U + 43U);
}

TEST(AccessTest, ADatasetThatIsLeftOutIsTheOnlyOneThatMayBeRead) {
  Access access;
  access.all_datasets = false;
  access.datasets = {"a", "b"};
  std::string dataset;
  ASSERT_TRUE(access.Choose({"b", "c"}, &dataset).ok());
  EXPECT_EQ(dataset, "b");
  dataset.clear();
  EXPECT_TRUE(absl::IsPermissionDenied(access.Choose({"a", "b"}, &dataset)));
  EXPECT_TRUE(absl::IsPermissionDenied(access.Choose({"c"}, &dataset)));
  // Whether there is one or not makes no difference.
  dataset = "c";
  const absl::Status there = access.Choose({"a", "c"}, &dataset);
  EXPECT_TRUE(absl::IsPermissionDenied(there));
  EXPECT_EQ(there, access.Choose({"a"}, &dataset));
  EXPECT_EQ(access.Visible({"c", "b", "a"}),
            (std::vector<std::string>{"b", "a"}));
}

}  // namespace
}  // namespace inkstream::transport
