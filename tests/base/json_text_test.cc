#include "server/base/json_text.h"

#include <string>

#include "gtest/gtest.h"

namespace inkstream {
namespace {

std::string Json(absl::string_view text) {
  std::string json;
  AppendJsonString(text, &json);
  return json;
}

TEST(JsonTextTest, StringsAreQuotedAndEscaped) {
  EXPECT_EQ(Json(""), R"("")");
  EXPECT_EQ(Json("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(Json("\n\x01\x7f"), R"("\u000a\u0001\u007f")");
  EXPECT_EQ(Json("\xC2\x9B"), R"("\u009b")");  // C1: moves terminals
  EXPECT_EQ(Json("café 猫 🐈"), "\"café 猫 🐈\"");
}

TEST(JsonTextTest, WhatIsNotUtf8BecomesTheReplacementCharacter) {
  EXPECT_EQ(Json("a\xFF"), R"("a\ufffd")");
  EXPECT_EQ(Json("\xC3"), R"("\ufffd")");
  EXPECT_EQ(Json("\xED\xA0\x80"), R"("\ufffd\ufffd\ufffd")");
  EXPECT_EQ(Json("\xC0\x80"), R"("\ufffd\ufffd")");
}

TEST(JsonTextTest, ForeignBytesBecomePrintable) {
  EXPECT_EQ(PrintableText("plain", 200), "plain");
  EXPECT_EQ(PrintableText(absl::string_view("a\0b\x1b[31m\xff", 9), 200),
            "a\\u0000b\\u001b[31m\\xff");
}

TEST(JsonTextTest, TheLimitCountsCharactersAndSplitsNone) {
  EXPECT_EQ(PrintableText("abcdef", 3), "abc");
  EXPECT_EQ(PrintableText("猫猫猫猫", 3), "猫猫猫");
  EXPECT_EQ(PrintableText("ab\x01", 5), "ab");  // \u0001 needs six
  EXPECT_EQ(PrintableText("ab\x01", 8), "ab\\u0001");
}

}  // namespace
}  // namespace inkstream
