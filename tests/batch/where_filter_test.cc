// Terms of `where`, compiled: what they accept, what they are called, and what
// is wrong with them. What views make of them: view_terms_test.cc.
#include "server/batch/view/where_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/fake_store.h"

namespace inkstream::batch {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

class WhereFilterTest : public ::testing::Test {
 protected:
  CompiledTerm Compile(const WhereTerm& term) const {
    const auto compiled = CompileWhere({term}, store_);
    EXPECT_TRUE(compiled.ok()) << compiled.status();
    return compiled.ok()
               ? compiled->front()
               : CompiledTerm{WhereColumn::kLabel, IntervalSet({}), ""};
  }
  bool Accepts(const WhereTerm& term, int64_t value) const {
    return Compile(term).accepted.Contains(value);
  }
  void ExpectError(const WhereTerm& term, absl::StatusCode code,
                   const std::string& place, const std::string& hint) const {
    const WhereTerm good = {"label", WhereOp::kGe, {"0"}};
    const absl::Status status = CompileWhere({good, term}, store_).status();
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr(absl::StrCat("view.where[1]", place)),
                      HasSubstr(hint)));
  }

  const testing::FakeStore store_{100};
};

TEST_F(WhereFilterTest, WhatIsMissingIsNeverAccepted) {
  for (const auto& [column, missing, value] :
       {std::tuple{"word", int64_t{-1}, "class0"},
        {"label", -1, "1"},
        {"countrycode", -1, "DE"},
        {"recognized", -1, "true"},
        {"timestamp", kMin, "2017"},
        {"key_id", -1, "1005"},
        {"strokes", 0, "1"},
        {"points", 0, "2"}}) {
    EXPECT_FALSE(Accepts({column, WhereOp::kNe, {value}}, missing)) << column;
    EXPECT_FALSE(Accepts({column, WhereOp::kNotIn, {value}}, missing))
        << column;
  }
  EXPECT_FALSE(Accepts({"key_id", WhereOp::kLt, {"7"}}, -1));
  EXPECT_FALSE(Accepts({"key_id", WhereOp::kEq, {"-1"}}, -1));
  EXPECT_FALSE(
      Accepts({"timestamp", WhereOp::kLe, {absl::StrCat(kMin)}}, kMin));
}

TEST_F(WhereFilterTest, BoundsAtTheEndsOfNumbersDoNotWrap) {
  EXPECT_FALSE(Accepts({"key_id", WhereOp::kGt, {absl::StrCat(kMax)}}, kMax));
  EXPECT_FALSE(Accepts({"key_id", WhereOp::kGt, {absl::StrCat(kMax)}}, 0));
  EXPECT_TRUE(Accepts({"key_id", WhereOp::kGe, {absl::StrCat(kMax)}}, kMax));
  EXPECT_FALSE(Accepts({"key_id", WhereOp::kLt, {absl::StrCat(kMin)}}, kMax));
  EXPECT_TRUE(Accepts({"key_id", WhereOp::kLe, {absl::StrCat(kMax)}}, kMax));
  EXPECT_TRUE(Accepts({"key_id", WhereOp::kNe, {absl::StrCat(kMax)}}, 0));
}

// The text is hashed into cursors: what selects the same is called the same.
TEST_F(WhereFilterTest, EqualTermsHaveOneText) {
  const std::vector<std::pair<std::vector<WhereTerm>, std::string>> terms = {
      {{{"recognized", WhereOp::kEq, {"true"}},
        {"recognized", WhereOp::kEq, {"1"}},
        {"recognized", WhereOp::kIn, {"1", "true"}}},
       "recognized == 1"},
      {{{"word", WhereOp::kNe, {"class1"}},
        {"word", WhereOp::kNotIn, {"class1"}}},
       "word != class1"},
      {{{"countrycode", WhereOp::kIn, {"JP", "DE"}},
        {"countrycode", WhereOp::kIn, {"DE", "JP", "DE"}}},
       "countrycode in DE|JP"},
      {{{"timestamp", WhereOp::kGe, {"2017-03-02"}},
        {"timestamp", WhereOp::kGe, {"2017-03-02 00:00:00 UTC"}},
        {"timestamp", WhereOp::kGe, {"2017-03-02T01:00:00+01:00"}},
        {"timestamp", WhereOp::kGe, {"1488412800000000"}}},
       "timestamp >= 1488412800000000"},
      {{{"points", WhereOp::kLt, {"007"}}}, "points < 7"}};
  for (const auto& [equal, text] : terms) {
    for (const WhereTerm& term : equal) EXPECT_EQ(Compile(term).text, text);
  }
}

TEST_F(WhereFilterTest, TermsStayInTheirOrder) {
  const auto compiled = CompileWhere({{"points", WhereOp::kGt, {"3"}},
                                      {"word", WhereOp::kEq, {"class0"}},
                                      {"points", WhereOp::kLt, {"9"}}},
                                     store_);
  ASSERT_TRUE(compiled.ok()) << compiled.status();
  ASSERT_EQ(compiled->size(), 3);
  EXPECT_EQ((*compiled)[0].column, WhereColumn::kPoints);
  EXPECT_EQ((*compiled)[1].column, WhereColumn::kLabel);
  EXPECT_EQ((*compiled)[2].text, "points < 9");
}

TEST_F(WhereFilterTest, WhatIsWrongIsNamedWithTheNearest) {
  constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;
  ExpectError({"countycode", WhereOp::kEq, {"DE"}}, kInvalid, ".column",
              "countrycode");
  ExpectError({"word", WhereOp::kLt, {"class1"}}, kInvalid, ".op", "no order");
  ExpectError({"label", static_cast<WhereOp>(99), {"1"}}, kInvalid, ".op",
              "not in");
  ExpectError({"label", WhereOp::kEq, {}}, kInvalid, ".values", "takes one");
  ExpectError({"label", WhereOp::kEq, {"1", "2"}}, kInvalid, ".values",
              "2 values");
  ExpectError({"label", WhereOp::kIn, {}}, kInvalid, ".values", "at least one");
  ExpectError({"label", WhereOp::kIn, {"1", "x"}}, kInvalid, ".values[1]",
              "whole number");
  ExpectError({"label", WhereOp::kEq, {"9223372036854775808"}}, kInvalid,
              ".values[0]", "whole number");
  ExpectError({"recognized", WhereOp::kEq, {"yes"}}, kInvalid, ".values[0]",
              "true (1) or false (0)");
  ExpectError({"timestamp", WhereOp::kGe, {"March 2017"}}, kInvalid,
              ".values[0]", "2017-03-02");
  ExpectError({"word", WhereOp::kEq, {"clas1"}}, absl::StatusCode::kNotFound,
              ".values[0]", "class1");
  ExpectError({"countrycode", WhereOp::kIn, {"DE", "UK"}},
              absl::StatusCode::kNotFound, ".values[1]", "UK");
}

TEST_F(WhereFilterTest, ListsHaveALimit) {
  const WhereTerm term = {"label", WhereOp::kGe, {"0"}};
  EXPECT_TRUE(CompileWhere(std::vector<WhereTerm>(64, term), store_).ok());
  EXPECT_THAT(std::string(CompileWhere(std::vector<WhereTerm>(65, term), store_)
                              .status()
                              .message()),
              AllOf(HasSubstr("65 terms"), HasSubstr("at most 64")));
  const WhereTerm long_list = {"key_id", WhereOp::kIn,
                               std::vector<std::string>(65537, "5")};
  EXPECT_THAT(std::string(CompileWhere({long_list}, store_).status().message()),
              AllOf(HasSubstr("65537 values"), HasSubstr("set of keys")));
}

}  // namespace
}  // namespace inkstream::batch
