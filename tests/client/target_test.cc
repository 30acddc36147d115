#include "client/cpp/call/target.h"

#include <cstdlib>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace inkstream::client {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Refusal(const std::string& target) {
  const auto endpoints = EndpointsOf(target);
  EXPECT_EQ(endpoints.status().code(), absl::StatusCode::kInvalidArgument)
      << target;
  return std::string(endpoints.status().message());
}

TEST(Target, WhatCanBeNoneIsRefusedWithWhatWasProbablyMeant) {
  const std::vector<std::pair<std::string, std::string>> meant = {
      {"http://h:1", "h:1"},
      {"https://h/x", "h:50051"},
      {"/run/x.sock", "unix:/run/x.sock"},
      {"x.sock", "unix:x.sock"},
      {"unix://run/x", "unix:/run/x"},
      {" h:1\n", "h:1"},
      {":1", "localhost:1"},
      {"localhost", "localhost:50051"},
      {"50052", "localhost:50052"},
      {"*:1", "localhost:1"},
      {"dns:///*", "dns:///localhost:50051"},
      {"h:", "h:50051"},
      {"h:http", "h:50051"},
      {"::1", "[::1]:50051"},
      {"::1:50051", "[::1]:50051"},
      {"[::1]", "[::1]:50051"},
      {"[1.2.3.4]:5", "1.2.3.4:5"},
      {"dns:///h", "dns:///h:50051"},
      {"dns://h:1", "dns:///h:1"},
      {"ipv4:h:1", "h:1"},
      {"ipv4:1.2.3.4", "ipv4:1.2.3.4:50051"},
  };
  for (const auto& [target, wanted] : meant) {
    EXPECT_THAT(Refusal(target),
                AllOf(HasSubstr("target \"" + target + "\""),
                      HasSubstr("\"" + wanted + "\" is probably meant")));
  }
  const std::vector<std::pair<std::string, std::string>> why = {
      {"", "is empty"},
      {" ", "is empty"},
      {"unix:", "has no path"},
      {"h:0", "ports are 1..65535"},
      {"h:99999", "ports are 1..65535"},
      {"h:99999999999999999999", "ports are 1..65535"},
      {"h:-1", "no number"},
      {"h:1,g:2", "several addresses"},
      {"h:1:2", "more in it than a host and a port"},
      {"me@h:1", "more in it than a host and a port"},
      {"ipv6:1.2.3.4:1", "for an address"},
      {"unix:/" + std::string(107, 'x'),
       "108 bytes; the kernel's limit is 107"},
  };
  for (const auto& [target, wanted] : why) {
    EXPECT_THAT(Refusal(target), HasSubstr(wanted)) << target;
  }
}

TEST(Target, WhatMayBeOneIsLeftAsItIs) {
  for (const std::string target :
       {"h:1", "h.example.:65535", "127.0.0.1:1", "[::1]:1", "[::]:1",
        "[fe80::1%eth0]:1", "dns:h:1", "dns:/h:1", "dns:///h:1",
        "dns://9.9.9.9/h:1", "unix:/run/x", "unix:x", "unix:///run/x",
        "unix-abstract:x", "xds:///h"}) {
    const auto endpoints = EndpointsOf(target);
    ASSERT_TRUE(endpoints.ok()) << endpoints.status();
    EXPECT_THAT(*endpoints, ElementsAre(target));
  }
  EXPECT_TRUE(EndpointsOf("unix:/" + std::string(106, 'x')).ok());
}

TEST(Target, SeveralNumbersAreSeveralEndpoints) {
  EXPECT_THAT(*EndpointsOf("ipv4:1.2.3.4:1,5.6.7.8:2"),
              ElementsAre("ipv4:1.2.3.4:1", "ipv4:5.6.7.8:2"));
  EXPECT_THAT(*EndpointsOf("ipv6:[::1]:1,[::2]:2"),
              ElementsAre("ipv6:[::1]:1", "ipv6:[::2]:2"));
}

TEST(Target, ThisMachineIsToldByTheWholeAddress) {
  for (const char* target :
       {"localhost:1", "a.localhost:1", "127.0.0.1:1", "127.9.8.7:1",
        "0.0.0.0:1", "[::1]:1", "[::ffff:127.0.0.1]:1", "dns:///localhost:1",
        "ipv4:127.0.0.1:1", "ipv6:[::1]:1", "unix:/x"}) {
    EXPECT_TRUE(IsLoopback(target)) << target;
    EXPECT_FALSE(IsName(target)) << target;
  }
  for (const char* target :
       {"127.example.org:1", "localhost.example.org:1", "dns:///h:1"}) {
    EXPECT_FALSE(IsLoopback(target)) << target;
    EXPECT_TRUE(IsName(target)) << target;
  }
  EXPECT_FALSE(IsName("10.0.0.1:1"));
}

TEST(Target, AProxyIsNamedWhereThereIsOne) {
  for (const char* name : {"grpc_proxy", "https_proxy", "http_proxy",
                           "no_grpc_proxy", "no_proxy"}) {
    unsetenv(name);
  }
  EXPECT_EQ(InWords("h:1"), "h:1");
  setenv("http_proxy", "http://me:secret@proxy:8080", 1);
  EXPECT_EQ(InWords("dns:///h:1"),
            "dns:///h:1 (by way of http_proxy = proxy:8080; no_proxy would "
            "leave it out)");
  EXPECT_EQ(InWords("127.0.0.1:1"), "127.0.0.1:1");
  setenv("no_proxy", "g, H", 1);
  EXPECT_EQ(InWords("h:1"), "h:1");
  unsetenv("no_proxy");
  unsetenv("http_proxy");
}

}  // namespace
}  // namespace inkstream::client
