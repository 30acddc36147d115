#include "server/app/log/log_event.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <string>

#include "server/app/log/logging.h"

namespace inkstream::app {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// What a peer may send to be taken for something else.
const std::string kHostile =
    "\x1b]0;owned\x07\n{\"level\":\"error\"} \xc2\x9b \xff";

class LogEventTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    SetUpLogging();
    SetLogFormat(GetParam());
  }
  void TearDown() override { SetLogFormat("text"); }

  static std::string LineOf(const LogEvent& event) {
    ::testing::internal::CaptureStderr();
    event.Log();
    return ::testing::internal::GetCapturedStderr();
  }
};

TEST_P(LogEventTest, WhateverPeersSendIsOneLineWithoutControlCharacters) {
  LogEvent event("call refused");
  event.Add("peer", kHostile).Add("stream", uint64_t{7}).Add("seconds", 0.25);
  const std::string line = LineOf(event);
  ASSERT_FALSE(line.empty());
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_THAT(line, Not(HasSubstr("\x1b")));
  EXPECT_THAT(line, Not(HasSubstr("\xc2\x9b")));
  EXPECT_THAT(line, HasSubstr("call refused"));
}

INSTANTIATE_TEST_SUITE_P(Formats, LogEventTest,
                         ::testing::Values("text", "json"));

class JsonLogEventTest : public LogEventTest {};

TEST_P(JsonLogEventTest, ALineIsAnObjectWithTheNamesAsKeys) {
  LogEvent event("stream opened");
  event.Add("peer", kHostile).Add("stream", uint64_t{7}).Add("seconds", 0.25);
  simdjson::dom::parser parser;
  simdjson::dom::element json;
  const std::string line = LineOf(event);
  ASSERT_EQ(parser.parse(line).get(json), simdjson::SUCCESS) << line;
  EXPECT_EQ(std::string_view(json["event"]), "stream opened");
  EXPECT_EQ(std::string_view(json["level"]), "info");
  EXPECT_EQ(uint64_t(json["stream"]), 7);
  EXPECT_EQ(double(json["seconds"]), 0.25);
  EXPECT_EQ(std::string_view(json["peer"]).substr(0, 4), "\x1b]0;");
}

INSTANTIATE_TEST_SUITE_P(Json, JsonLogEventTest, ::testing::Values("json"));

TEST(LogEventText, ValuesWithBlanksAreInQuotes) {
  SetUpLogging();
  LogEvent event("stream opened");
  event.Add("dataset", "quickdraw").Add("plan", "batch 8, seed 1");
  ::testing::internal::CaptureStderr();
  event.Log();
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              HasSubstr(" info stream opened: dataset=quickdraw "
                        "plan=\"batch 8, seed 1\"\n"));
}

}  // namespace
}  // namespace inkstream::app
