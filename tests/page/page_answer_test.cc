#include "server/page/page_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/match.h"
#include "server/base/json.h"
#include "server/base/status_reason.h"

namespace inkstream::page {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string HeaderOf(const ops::HttpAnswer& answer, const std::string& name) {
  for (const auto& [key, value] : answer.headers) {
    if (key == name) return value;
  }
  return "";
}

std::string Source(const std::string& name) {
  std::ifstream file(INKSTREAM_SOURCE_DIR "/server/page/web/" + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(PageAnswerTest, TheFileIsWholeAndAsItWasWritten) {
  const ops::HttpAnswer answer = FileAnswer();
  EXPECT_THAT(answer.body,
              AllOf(StartsWith("<!doctype html>"), EndsWith("</html>\n")));
  for (const char* name :
       {"page.css", "elements.js", "gallery.js", "main.js"}) {
    ASSERT_FALSE(Source(name).empty()) << name;
    EXPECT_TRUE(absl::StrContains(answer.body, Source(name))) << name;
  }
  EXPECT_THAT(answer.body, Not(HasSubstr("@SCRIPT@")));
}

TEST(PageAnswerTest, TheFileTakesNothingFromElsewhere) {
  const ops::HttpAnswer answer = FileAnswer();
  const std::string policy = HeaderOf(answer, "Content-Security-Policy");
  EXPECT_THAT(
      policy,
      AllOf(StartsWith("default-src 'none'"), HasSubstr("script-src 'sha256-"),
            HasSubstr("style-src 'sha256-"), HasSubstr("connect-src 'self'"),
            HasSubstr("frame-ancestors 'none'"), Not(HasSubstr("unsafe")),
            Not(HasSubstr("*"))));
  for (const char* way : {" src=", "@import", "url(", "innerHTML",
                          "insertAdjacentHTML", "document.write", "eval("}) {
    EXPECT_THAT(answer.body, Not(HasSubstr(way)));
  }
}

TEST(PageAnswerTest, EveryAnswerIsGuarded) {
  for (const ops::HttpAnswer& answer :
       {FileAnswer(), JsonAnswer("{}"), BytesAnswer("ab"),
        StatusAnswer(absl::NotFoundError("no")), NoSuchPage()}) {
    EXPECT_EQ(HeaderOf(answer, "X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(HeaderOf(answer, "Cache-Control"), "no-store");
    EXPECT_EQ(HeaderOf(answer, "Cross-Origin-Resource-Policy"), "same-origin");
    EXPECT_EQ(HeaderOf(answer, "Access-Control-Allow-Origin"), "");
    EXPECT_THAT(HeaderOf(answer, "Content-Security-Policy"),
                HasSubstr("default-src 'none'"));
  }
}

TEST(PageAnswerTest, StatusesSayWhatToDoNext) {
  EXPECT_EQ(StatusAnswer(absl::InvalidArgumentError("")).code, 400);
  EXPECT_EQ(StatusAnswer(absl::PermissionDeniedError("")).code, 403);
  EXPECT_EQ(StatusAnswer(absl::NotFoundError("")).code, 404);
  EXPECT_EQ(StatusAnswer(absl::DataLossError("")).code, 500);
  const ops::HttpAnswer later = StatusAnswer(
      WithReason(absl::UnavailableError("gone <b>"), "STORE_LOST"));
  EXPECT_EQ(later.code, 503);
  EXPECT_EQ(HeaderOf(later, "Retry-After"), "1");
  EXPECT_EQ(later.body,
            "{\"code\":\"UNAVAILABLE\",\"reason\":\"STORE_LOST\","
            "\"message\":\"gone <b>\"}\n");
}

}  // namespace
}  // namespace inkstream::page
