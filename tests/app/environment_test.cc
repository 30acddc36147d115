#include "server/app/flags/environment.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace inkstream::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(EnvironmentTest, NamesFollowTheOptions) {
  EXPECT_EQ(EnvironmentName("max-errors"), "INKSTREAM_MAX_ERRORS");
  EXPECT_EQ(EnvironmentName("store"), "INKSTREAM_STORE");
}

TEST(EnvironmentTest, AnUnknownVariableIsToldTheNearest) {
  EXPECT_THAT(UnknownVariableWarnings({"INKSTREAM_STOER"},
                                      {"INKSTREAM_STORE", "INKSTREAM_SEED"}),
              ElementsAre(HasSubstr(
                  "INKSTREAM_STOER; the nearest is \"INKSTREAM_STORE\"")));
}

TEST(EnvironmentTest, KnownAndForeignVariablesAreNoOnesBusiness) {
  EXPECT_THAT(UnknownVariableWarnings({"INKSTREAM_STORE", "PATH", "INK"},
                                      {"INKSTREAM_STORE"}),
              IsEmpty());
}

TEST(EnvironmentTest, WhatKubernetesInjectsForAServiceIsIgnored) {
  for (const std::string service : {"INKSTREAM", "INKSTREAM_METRICS"}) {
    std::vector<std::string> variables;
    for (const char* suffix :
         {"_SERVICE_HOST", "_SERVICE_PORT", "_SERVICE_PORT_HTTP", "_PORT",
          "_PORT_9101_TCP", "_PORT_9101_TCP_PROTO", "_PORT_9101_TCP_PORT",
          "_PORT_9101_TCP_ADDR", "_PORT_53_UDP"}) {
      variables.push_back(service + suffix);
    }
    EXPECT_THAT(UnknownVariableWarnings(variables, {"INKSTREAM_STORE"}),
                IsEmpty());
  }
}

TEST(EnvironmentTest, WhatIsLikeNoNameMakesOneShortLine) {
  EXPECT_THAT(UnknownVariableWarnings({"INKSTREAM_COMPLETELY_DIFFERENT",
                                       "INKSTREAM_QUITE_ANOTHER_THING"},
                                      {"INKSTREAM_STORE", "INKSTREAM_SEED"}),
              ElementsAre("nothing reads of the environment: "
                          "INKSTREAM_COMPLETELY_DIFFERENT, "
                          "INKSTREAM_QUITE_ANOTHER_THING"));
}

TEST(EnvironmentTest, NoOptionHasANameThatKubernetesInjects) {
  EXPECT_FALSE(IsInjectedByKubernetes("INKSTREAM_STORE"));
  EXPECT_FALSE(IsInjectedByKubernetes("INKSTREAM_LISTEN"));
}

}  // namespace
}  // namespace inkstream::app
