#include "server/app/environment.h"

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
  EXPECT_THAT(UnknownVariableWarnings(
                  {"INKSTREAM_PORT", "INKSTREAM_PORT_50051_TCP",
                   "INKSTREAM_PORT_50051_TCP_ADDR", "INKSTREAM_SERVICE_HOST",
                   "INKSTREAM_SERVICE_PORT", "INKSTREAM_HEADLESS_SERVICE_PORT"},
                  {"INKSTREAM_STORE"}),
              IsEmpty());
}

TEST(EnvironmentTest, NoOptionHasANameThatKubernetesInjects) {
  EXPECT_FALSE(IsInjectedByKubernetes("INKSTREAM_STORE"));
  EXPECT_FALSE(IsInjectedByKubernetes("INKSTREAM_LISTEN"));
}

}  // namespace
}  // namespace inkstream::app
