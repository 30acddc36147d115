#include "server/app/flags/config_file.h"

#include <fstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/app/serve/served_stores.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ConfigFileTest : public ::testing::Test {
 protected:
  ConfigFileTest() {
    command_.add_option("--store", stores_);
    command_.add_option("--workers,--threads", workers_)
        ->check(CLI::Range(1, 8));
    command_.add_flag("--preload", preload_);
  }

  // The error's text; "" where there was none.
  std::string Apply(const std::string& text,
                    std::vector<std::string> arguments = {}) {
    const std::string path = scratch_.File("serve.conf");
    std::ofstream(path) << text;
    try {
      command_.parse(std::move(arguments));
      ApplyConfigFile(&command_, path);
    } catch (const CLI::ParseError& error) {
      return error.what();
    }
    return "";
  }

  inkstream::testing::ScratchDirectory scratch_;
  CLI::App command_;
  std::vector<std::string> stores_;
  int workers_ = 0;
  bool preload_ = false;
};

TEST_F(ConfigFileTest, SetsWhatTheCommandLineDidNot) {
  // CLI11 takes arguments last first.
  EXPECT_EQ(Apply("store = [\"a=x.ink\", \"y.ink\"]\nworkers = 3\n"
                  "preload = true\n",
                  {"5", "--workers"}),
            "");
  EXPECT_THAT(stores_, ElementsAre("a=x.ink", "y.ink"));
  EXPECT_EQ(workers_, 5);
  EXPECT_TRUE(preload_);
}

TEST_F(ConfigFileTest, AnOptionThatDoesNotExistNamesTheNearest) {
  EXPECT_THAT(
      Apply("wrkers = 1\n"),
      HasSubstr("serve.conf:1: there is no option wrkers; the nearest is "
                "\"workers\""));
}

TEST_F(ConfigFileTest, ValuesAreCheckedAsOnTheCommandLine) {
  EXPECT_THAT(Apply("workers = 9\n"), HasSubstr("--workers"));
  EXPECT_THROW(ApplyConfigFile(&command_, scratch_.File("none")),
               CLI::ParseError);
}

TEST(StoreArgumentTest, ANameIsWhatStandsBeforeTheFirstEqualsSign) {
  EXPECT_EQ(ParseStoreArgument("draw=dir/a.ink").name, "draw");
  EXPECT_EQ(ParseStoreArgument("draw=dir/a.ink").path, "dir/a.ink");
  EXPECT_EQ(ParseStoreArgument("dir/a=b.ink").name, "");
  EXPECT_EQ(ParseStoreArgument("dir/a=b.ink").path, "dir/a=b.ink");
  EXPECT_EQ(ParseStoreArgument("a.ink").path, "a.ink");
}

TEST(GenerationArgumentTest, ItIsANameAndAWholeFingerprint) {
  const std::string digits(64, 'a');
  EXPECT_EQ(CheckGenerationArgument("draw=" + digits), "");
  for (const std::string& wrong :
       {digits, "=" + digits, "draw=" + digits.substr(1),
        "draw=" + digits + "a", "draw=" + std::string(64, 'A'),
        std::string("draw=")}) {
    EXPECT_THAT(CheckGenerationArgument(wrong), HasSubstr("NAME=FINGERPRINT"))
        << wrong;
  }
}

}  // namespace
}  // namespace inkstream::app
