#include "server/app/flags/number_flags.h"

#include <limits>
#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace inkstream::app {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();

// What a command line makes of `given`; nothing where it refuses it.
std::optional<uint64_t> Parsed(const CLI::Validator& form,
                               const std::string& given,
                               std::string* why = nullptr) {
  CLI::App app;
  uint64_t value = 0;
  app.add_option("--n", value)->transform(form);
  try {
    app.parse("--n=" + given);
  } catch (const CLI::ParseError& error) {
    if (why != nullptr) *why = error.what();
    return std::nullopt;
  }
  return value;
}

TEST(WholeNumberTest, IsReadAsWritten) {
  EXPECT_EQ(Parsed(WholeNumber(), "0"), 0);
  EXPECT_EQ(Parsed(WholeNumber(), "010"), 10);
  EXPECT_EQ(Parsed(WholeNumber(), "18446744073709551615"), kMost);
  EXPECT_EQ(Parsed(WholeNumber(7), "7"), 7);
}

TEST(WholeNumberTest, WhatIsNoneIsRefusedWithTheRange) {
  for (const char* given :
       {"-1", "+1", "1.5", "1e3", "0x10", "ten", "18446744073709551616",
        "99999999999999999999999"}) {
    EXPECT_EQ(Parsed(WholeNumber(), given), std::nullopt) << given;
  }
  std::string why;
  EXPECT_EQ(Parsed(WholeNumber(7), "8", &why), std::nullopt);
  EXPECT_THAT(why, HasSubstr("--n: 8 is not a whole number in 0..7"));
}

TEST(ByteSizeTest, UnitsArePowersOf1024) {
  EXPECT_EQ(Parsed(ByteSize(), "536870912"), 536870912);
  EXPECT_EQ(Parsed(ByteSize(), "0"), 0);
  EXPECT_EQ(Parsed(ByteSize(), "5B"), 5);
  for (const char* given : {"2g", "2G", "2gb", "2GB", "2GiB", "02Gib"}) {
    EXPECT_EQ(Parsed(ByteSize(), given), uint64_t{2} << 30) << given;
  }
  EXPECT_EQ(Parsed(ByteSize(), "15EiB"), uint64_t{15} << 60);
}

TEST(ByteSizeTest, WhatIsNoneIsRefusedWithWhatFits) {
  for (const char* given : {"-1", "-1GiB", "ten", "1.5G", "16EiB", "GiB", "i",
                            "1X", "1iB2", "99999999999999999999999"}) {
    std::string why;
    EXPECT_EQ(Parsed(ByteSize(), given, &why), std::nullopt) << given;
    EXPECT_THAT(why, HasSubstr("512MiB or 2GiB")) << given;
  }
}

}  // namespace
}  // namespace inkstream::app
