#include "server/transport/grpc/loopback_listeners.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/transport/serving_fixture.h"

namespace inkstream::transport {
namespace {

std::string CongestionControl(int fd) {
  char name[16] = {};
  socklen_t size = sizeof(name);
  EXPECT_EQ(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &size), 0);
  return name;
}

int PortOf(int fd) {
  sockaddr_storage bound = {};
  socklen_t size = sizeof(bound);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0) {
    return -1;
  }
  // At the same place in both families.
  return ntohs(reinterpret_cast<const sockaddr_in*>(&bound)->sin_port);
}

class Listener {
 public:
  explicit Listener(in_addr_t address) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in any = {};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(address);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&any), sizeof(any)), 0);
    EXPECT_EQ(listen(fd_, 1), 0);
    // Not what is set, whatever the machine's default is.
    own_ = setsockopt(fd_, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5) == 0
               ? "cubic"
               : CongestionControl(fd_);
  }
  ~Listener() { close(fd_); }

  int fd() const { return fd_; }
  int port() const { return PortOf(fd_); }
  const std::string& own() const { return own_; }

 private:
  const int fd_;
  std::string own_;
};

TEST(LoopbackListenersTest, OnlyTheNamedPortIsSet) {
  const Listener named(INADDR_LOOPBACK);
  const Listener other(INADDR_LOOPBACK);
  EXPECT_EQ(StopPacingLoopback({named.port()}), 1);
  EXPECT_EQ(CongestionControl(named.fd()), "reno");
  EXPECT_EQ(CongestionControl(other.fd()), other.own());
}

TEST(LoopbackListenersTest, WhatTheNetworkReachesKeepsTheMachinesChoice) {
  const Listener open(INADDR_ANY);
  EXPECT_EQ(StopPacingLoopback({open.port()}), 0);
  EXPECT_EQ(CongestionControl(open.fd()), open.own());
}

using ServedLoopbackTest = ServingTest;

TEST_F(ServedLoopbackTest, AcceptedConnectionsAreNotPaced) {
  Serve();
  grpc::ClientContext context;
  v1::ListDatasetsResponse response;
  ASSERT_TRUE(stub_->ListDatasets(&context, {}, &response).ok());
  const std::string& address = server_->addresses().front();
  const int port = std::stoi(address.substr(address.rfind(':') + 1));
  int accepted = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = std::atoi(entry.path().filename().c_str());
    if (PortOf(fd) != port) continue;
    EXPECT_EQ(CongestionControl(fd), "reno");
    ++accepted;
  }
  EXPECT_GE(accepted, 2);  // with the listener
}

}  // namespace
}  // namespace inkstream::transport
