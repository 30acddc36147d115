#include "server/ingest/error_log.h"

#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/json.h"

namespace inkstream::ingest {
namespace {

TEST(ErrorLogTest, TheFileHasExactlyTheseFields) {
  ErrorLog log;
  log.Add(ErrorKind::kUnequalXy, 1, 7, 1234,
          "drawing: stroke 0 has 2 x but 1 y", "{\"word\":\"a\tb\"}");
  const Json expected = {
      {"read", 10},
      {"kept", 9},
      {"skipped", 1},
      {"by_kind", {{"unequal_xy", 1}}},
      {"examples",
       Json::array({{{"file", "b \"x\".ndjson"},
                     {"line", 7},
                     {"offset", 1234},
                     {"kind", "unequal_xy"},
                     {"reason", "drawing: stroke 0 has 2 x but 1 y"},
                     {"input", "{\"word\":\"a\\u0009b\"}"}}})}};
  EXPECT_EQ(Json::parse(log.ToJson(10, 9, {"a.ndjson", "b \"x\".ndjson"})),
            expected);
}

TEST(ErrorLogTest, NoErrorsIsAFileToo) {
  const Json expected = {{"read", 3},
                         {"kept", 3},
                         {"skipped", 0},
                         {"by_kind", Json::object()},
                         {"examples", Json::array()}};
  EXPECT_EQ(Json::parse(ErrorLog().ToJson(3, 3, {"a"})), expected);
}

TEST(ErrorLogTest, AHundredExamplesAKindAndEveryOneCounted) {
  ErrorLog log;
  for (uint64_t i = 0; i < 250; ++i) {
    log.Add(ErrorKind::kBrokenJson, 0, i, 0, "r", "x");
  }
  log.Add(ErrorKind::kNoStrokes, 0, 999, 0, "r", "x");
  EXPECT_EQ(log.total(), 251);
  EXPECT_EQ(log.count(ErrorKind::kBrokenJson), 250);
  EXPECT_EQ(log.examples().size(), 101);
  EXPECT_EQ(log.examples()[99].line, 99);
}

TEST(ErrorLogTest, MergedInOrderEqualsOneLog) {
  ErrorLog whole, merged;
  for (int part = 0; part < 5; ++part) {
    ErrorLog one;
    for (int i = 0; i < 60; ++i) {
      const ErrorKind kind =
          i % 3 == 0 ? ErrorKind::kBrokenJson : ErrorKind::kBadWord;
      const uint64_t line = part * 60 + i;
      one.Add(kind, 0, line, line, "r", "x");
      whole.Add(kind, 0, line, line, "r", "x");
    }
    merged.Merge(one);
  }
  EXPECT_EQ(merged.ToJson(300, 0, {"f"}), whole.ToJson(300, 0, {"f"}));
  EXPECT_EQ(merged.examples().size(), 200);
}

TEST(ErrorLogTest, InputsAreCutTo200Characters) {
  ErrorLog log;
  log.Add(ErrorKind::kBrokenJson, 0, 1, 0, "r", std::string(5000, 'x'));
  EXPECT_EQ(log.examples()[0].input.size(), 200);
}

TEST(ErrorLogTest, EveryKindHasANameOfItsOwn) {
  std::set<absl::string_view> names;
  for (size_t k = 0; k < kErrorKinds; ++k) {
    names.insert(ErrorKindName(static_cast<ErrorKind>(k)));
  }
  EXPECT_EQ(names.size(), kErrorKinds);
  EXPECT_EQ(names.count(""), 0);
  EXPECT_EQ(ErrorKindName(ErrorKind::kBadKeyId), "bad_key_id");
  EXPECT_EQ(ErrorKindName(ErrorKind::kNoStrokes), "no_strokes");
}

}  // namespace
}  // namespace inkstream::ingest
