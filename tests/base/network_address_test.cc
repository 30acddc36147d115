#include "server/base/network_address.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "server/base/socket_file.h"

namespace inkstream {
namespace {

std::string TemporaryPath(const std::string& name) {
  const std::string path = ::testing::TempDir() + "ink_" + name;
  std::filesystem::remove(path);
  return path;
}

// A socket bound to `path`, listening if asked.
int Bind(const std::string& path, bool listening) {
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)),
            0);
  if (listening) {
    EXPECT_EQ(listen(fd, 1), 0);
  }
  return fd;
}

std::string CallerOn(const std::string& host) {
  return CallerAt(Resolve({host, 5})->front());
}

TEST(ListenAddressTest, HostsAndPortsAreTakenApart) {
  EXPECT_EQ(ParseListenAddress("127.0.0.1:50051")->port, 50051);
  EXPECT_EQ(ParseListenAddress("[::1]:0")->host, "[::1]");
  for (const char* bad :
       {"", "50051", ":1", "host:", "host:x", "host:70000", "host:-1"}) {
    EXPECT_FALSE(ParseListenAddress(bad).ok()) << bad;
  }
}

TEST(ListenAddressTest, OnlyLoopbackStaysOnTheMachine) {
  for (const char* local : {"127.0.0.1", "127.8.0.1", "[::1]", "::1",
                            "localhost", "LOCALHOST", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(IsLoopbackHost(local)) << local;
  }
  for (const char* open :
       {"0.0.0.0", "[::]", "10.0.0.1", "host", "127.example.org", "127.0.0",
        "localhost.example.org", "127.0.0.1.example.org", "::ffff:10.0.0.1",
        "[::1", ""}) {
    EXPECT_FALSE(IsLoopbackHost(open)) << open;
  }
}

TEST(ListenAddressTest, WhatANameStandsForIsJudgedByItsAddresses) {
  for (const char* local : {"127.0.0.1:1", "[::1]:1", "localhost:1"}) {
    const auto places = *Resolve(*ParseListenAddress(local));
    for (const sockaddr_storage& place : places) {
      EXPECT_TRUE(IsLoopback(place)) << local;
    }
  }
  EXPECT_FALSE(IsLoopback(Resolve({"0.0.0.0", 1})->front()));
  EXPECT_EQ(Resolve({"127.example.invalid", 1}).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(ListenAddressTest, AddressesAreWrittenAsPeopleDo) {
  EXPECT_EQ(ToString(Resolve({"127.0.0.1", 5})->front()), "127.0.0.1:5");
  EXPECT_EQ(ToString(Resolve({"[fd00::7]", 5})->front()), "[fd00::7]:5");
  EXPECT_EQ(ToString(Resolve({"[::ffff:10.0.0.7]", 5})->front()), "10.0.0.7:5");
  EXPECT_EQ(HostOf(Resolve({"[fd00::7]", 5})->front()), "fd00::7");
}

TEST(ListenAddressTest, AMachineHasAllAddressesOfItsIPv6Network) {
  EXPECT_EQ(CallerOn("[2001:db8:1:2:3:4:5:6]"), "ipv6:2001:db8:1:2::/64");
  EXPECT_EQ(CallerOn("[2001:db8:1:2::7]"), "ipv6:2001:db8:1:2::/64");
  EXPECT_NE(CallerOn("[2001:db8:1:3::7]"), CallerOn("[2001:db8:1:2::7]"));
  EXPECT_EQ(CallerOn("[fe80::1]"), CallerOn("[fe80::2]"));
  EXPECT_EQ(CallerOn("[::ffff:10.0.0.7]"), CallerOn("10.0.0.7"));
  EXPECT_EQ(CallerOn("10.0.0.7"), "ipv4:10.0.0.7");
  EXPECT_NE(CallerOn("10.0.0.7"), CallerOn("10.0.0.8"));
}

TEST(ListenAddressTest, AllLoopbackAddressesAreOneCaller) {
  for (const char* host : {"127.0.0.1", "127.0.0.2", "127.255.255.254", "[::1]",
                           "[::ffff:127.0.0.3]"}) {
    EXPECT_EQ(CallerOn(host), "localhost") << host;
  }
}

TEST(ClearSocketFileTest, ADeadSocketIsRemoved) {
  const std::string path = TemporaryPath("dead");
  close(Bind(path, /*listening=*/true));
  ASSERT_TRUE(std::filesystem::exists(path));
  EXPECT_TRUE(ClearSocketFile(path).ok());
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_TRUE(ClearSocketFile(path).ok());
}

TEST(ClearSocketFileTest, ALiveSocketIsLeftAlone) {
  const std::string path = TemporaryPath("live");
  const int fd = Bind(path, /*listening=*/true);
  EXPECT_EQ(ClearSocketFile(path).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(std::filesystem::exists(path));
  close(fd);
  std::filesystem::remove(path);
}

TEST(ClearSocketFileTest, AFileThatIsNoSocketIsLeftAlone) {
  const std::string path = TemporaryPath("file");
  std::ofstream(path) << "precious";
  EXPECT_EQ(ClearSocketFile(path).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(std::filesystem::exists(path));
  std::filesystem::remove(path);
}

TEST(ClearSocketFileTest, APathThatIsTooLongIsNamed) {
  EXPECT_EQ(ClearSocketFile("/" + std::string(200, 'a')).code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace inkstream
