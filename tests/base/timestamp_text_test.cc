#include "server/base/timestamp_text.h"

#include <string>

#include "gtest/gtest.h"

namespace inkstream {
namespace {

TEST(TimestampTextTest, MicrosecondsSince1970) {
  EXPECT_EQ(ParseTimestamp("1970-01-01 00:00:00 UTC")->micros, 0);
  EXPECT_EQ(ParseTimestamp("1970-01-02 00:00:01.000001 UTC")->micros,
            86401000001);
  EXPECT_EQ(ParseTimestamp("1969-12-31 23:59:59.5 UTC")->micros, -500000);
  // date -u -d '2017-03-02 23:25:10.07453' +%s%6N
  EXPECT_EQ(ParseTimestamp("2017-03-02 23:25:10.07453 UTC")->micros,
            1488497110074530);
}

TEST(TimestampTextTest, TheTextComesBack) {
  for (const std::string text :
       {"2017-03-02 23:25:10.07453 UTC", "2017-03-02 23:25:10 UTC",
        "2017-03-02 23:25:10.5 UTC", "2017-03-02 23:25:10.500000 UTC",
        "2017-03-02 23:25:10.000000 UTC", "2017-03-02 23:25:10.0 UTC",
        "2017-03-02 23:25:10.000001 UTC", "2017-03-02 23:25:10.10 UTC",
        "2016-02-29 00:00:00.1 UTC", "0001-01-01 00:00:00 UTC",
        "9999-12-31 23:59:59.999999 UTC", "1969-12-31 23:59:59.999999 UTC",
        "1900-02-28 23:59:59.000010 UTC"}) {
    const std::optional<Timestamp> parsed = ParseTimestamp(text);
    ASSERT_TRUE(parsed.has_value()) << text;
    EXPECT_EQ(FormatTimestamp(*parsed), text);
  }
}

TEST(TimestampTextTest, WhatIsNoInstantIsRefused) {
  for (const std::string text : {"",
                                 "2017-03-02",
                                 "2017-03-02 23:25:10",
                                 "2017-03-02 23:25:10. UTC",
                                 "2017-03-02 23:25:10.1234567 UTC",
                                 "2017-03-02 23:25:10.12a UTC",
                                 "2017-02-29 00:00:00 UTC",
                                 "2017-13-01 00:00:00 UTC",
                                 "2017-00-01 00:00:00 UTC",
                                 "2017-01-00 00:00:00 UTC",
                                 "2017-01-01 24:00:00 UTC",
                                 "2017-01-01 23:60:00 UTC",
                                 "2017-01-01 23:59:60 UTC",
                                 "0000-01-01 00:00:00 UTC",
                                 "2017-01-01T00:00:00 UTC",
                                 "2017-01-01 00:00:00 GMT",
                                 "2017-01-01 00:00:00  UTC",
                                 " 2017-01-01 00:00:00 UTC",
                                 "2017-01-01 00:00:00 UTC ",
                                 "17-01-01 00:00:00.00 UTC",
                                 "-017-01-01 00:00:00 UTC",
                                 "2017-01-01 00:00:00,5 UTC"}) {
    EXPECT_FALSE(ParseTimestamp(text).has_value()) << text;
  }
}

TEST(ParseIsoTimestampTest, FormsOfOtherToolsAreTheSameInstant) {
  const std::optional<Timestamp> official =
      ParseTimestamp("2017-03-01 20:41:36.704 UTC");
  for (const char* text :
       {"2017-03-01 20:41:36.704 UTC", "2017-03-01 20:41:36.704000",
        "2017-03-01T20:41:36.704000+00:00", "2017-03-01T20:41:36.704Z",
        "2017-03-01T20:41:36.704", "2017-03-01 20:41:36.704000+00:00",
        "2017-03-01T20:41:36.704000000Z", "2017-03-01T21:41:36.704+01:00",
        "2017-03-01T21:41:36.704+01", "2017-03-02T02:11:36.704+0530",
        "2017-02-28T23:41:36.704-21:00"}) {
    EXPECT_EQ(ParseIsoTimestamp(text), official) << text;
  }
  EXPECT_EQ(ParseIsoTimestamp("2017-03-01T20:41:36Z"),
            ParseTimestamp("2017-03-01 20:41:36 UTC"));
  EXPECT_EQ(ParseIsoTimestamp("2017-03-01T20:41:36.000Z"),
            ParseTimestamp("2017-03-01 20:41:36 UTC"));
}

TEST(ParseIsoTimestampTest, WhatIsNoInstantIsRefused) {
  for (const char* text :
       {"", "2017-03-01", "2017-03-01T20:41", "2017-02-29T00:00:00Z",
        "2017-03-01T24:00:00Z", "2017-03-01T20:41:60Z", "2017-03-01t20:41:36Z",
        "2017-03-01T20:41:36.Z", "2017-03-01T20:41:36.7040001Z",
        "2017-03-01T20:41:36.7040000000Z", "2017-03-01T20:41:36z",
        "2017-03-01T20:41:36+1", "2017-03-01T20:41:36+1:00",
        "2017-03-01T20:41:36+24:00", "2017-03-01T20:41:36+00:60",
        "2017-03-01T20:41:36 CET", "2017-03-01T20:41:36+-100",
        "20170301T204136Z"}) {
    EXPECT_FALSE(ParseIsoTimestamp(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace inkstream
