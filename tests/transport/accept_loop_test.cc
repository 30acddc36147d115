#include "server/transport/listener/accept_loop.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace inkstream::transport {
namespace {

// For what must come about; how fast is not what these tests are about.
constexpr std::chrono::seconds kSoon{60};

bool Eventually(const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + kSoon;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

class AcceptLoopTest : public ::testing::Test {
 protected:
  ~AcceptLoopTest() override {
    loop_.reset();
    for (const int fd : clients_) close(fd);
    for (const int fd : served_) close(fd);
  }

  void Start(std::vector<ListeningSocket> listeners) {
    listening_ = listeners.front().fd();
    port_ = listeners.front().port();
    auto loop =
        AcceptLoop::Create(std::move(listeners), options_, &table_,
                           [this](int fd, const Peer& /*peer*/) {
                             const std::lock_guard<std::mutex> lock(mu_);
                             served_.insert(fd);
                           });
    ASSERT_TRUE(loop.ok()) << loop.status();
    loop_ = *std::move(loop);
    loop_->Begin();
  }
  void StartTcp() {
    Start(*ListeningSocket::OnAddress("127.0.0.1:0", /*network=*/false));
  }

  int Connect(const std::string& sends) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port_));
    EXPECT_EQ(
        connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    send(fd, sends.data(), sends.size(), MSG_NOSIGNAL);
    clients_.push_back(fd);
    return fd;
  }

  size_t served() {
    const std::lock_guard<std::mutex> lock(mu_);
    return served_.size();
  }
  int only_served() {
    const std::lock_guard<std::mutex> lock(mu_);
    return *served_.begin();
  }

  AcceptOptions options_{.what = "test"};
  ConnectionTable table_{{/*all=*/100, /*of_a_peer=*/100}};
  std::unique_ptr<AcceptLoop> loop_;
  int listening_ = -1;
  int port_ = 0;
  std::vector<int> clients_;
  std::mutex mu_;
  std::set<int> served_;
};

TEST_F(AcceptLoopTest, WhoSpeaksIsHandedOverWithWhatItSaid) {
  StartTcp();
  Connect("hello");
  ASSERT_TRUE(Eventually([this] { return served() == 1; }));
  char said[8] = {};
  EXPECT_EQ(recv(only_served(), said, sizeof(said), 0), 5);
  EXPECT_STREQ(said, "hello");
}

TEST_F(AcceptLoopTest, WhoIsSilentIsClosedAndWasNeverHandedOver) {
  options_.silence = std::chrono::milliseconds(50);
  StartTcp();
  const int silent = Connect("");
  char byte;
  EXPECT_EQ(recv(silent, &byte, 1, 0), 0);
  EXPECT_EQ(served(), 0U);
  EXPECT_EQ(table_.counts().open, 0U);
  EXPECT_EQ(table_.counts().silent, 1U);
}

TEST_F(AcceptLoopTest, WhatIsNotCompleteIsWaitedFor) {
  options_.complete = [](absl::string_view sent) { return sent.back() == '.'; };
  StartTcp();
  const int slow = Connect("a");
  Connect("b.");
  ASSERT_TRUE(Eventually([this] { return served() == 1; }));
  send(slow, "a", 1, MSG_NOSIGNAL);
  send(slow, ".", 1, MSG_NOSIGNAL);
  EXPECT_TRUE(Eventually([this] { return served() == 2; }));
}

TEST_F(AcceptLoopTest, WhatNeverGetsCompleteIsHandedOverAtAMost) {
  options_.complete = [](absl::string_view /*sent*/) { return false; };
  StartTcp();
  Connect(std::string(10'000, 'a'));
  EXPECT_TRUE(Eventually([this] { return served() == 1; }));
}

TEST_F(AcceptLoopTest, ClientsThatLeaveAreForgotten) {
  StartTcp();
  close(Connect(""));
  clients_.clear();
  EXPECT_TRUE(Eventually([this] {
    return table_.counts().accepted == 1 && table_.counts().open == 0;
  }));
}

TEST_F(AcceptLoopTest, AListenerThatEndsIsMadeAnewAtTheSamePort) {
  StartTcp();
  EXPECT_TRUE(loop_->alive());
  ASSERT_EQ(shutdown(listening_, SHUT_RDWR), 0);
  EXPECT_TRUE(Eventually([this] {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port_));
    const bool connected = connect(fd, reinterpret_cast<sockaddr*>(&address),
                                   sizeof(address)) == 0;
    close(fd);
    return connected;
  }));
  Connect("hello");
  EXPECT_TRUE(Eventually([this] { return served() == 1; }));
  EXPECT_TRUE(loop_->alive());
}

TEST_F(AcceptLoopTest, AListenerThatCannotBeMadeAnewIsNotAlive) {
  const std::string folder = ::testing::TempDir() + "ink_listener";
  std::filesystem::create_directory(folder);
  std::vector<ListeningSocket> listeners;
  listeners.push_back(*ListeningSocket::OnPath(folder + "/socket", {}));
  Start(std::move(listeners));
  std::filesystem::remove_all(folder);
  ASSERT_EQ(shutdown(listening_, SHUT_RDWR), 0);
  EXPECT_TRUE(Eventually([this] { return !loop_->alive(); }));
  std::filesystem::create_directory(folder);
  EXPECT_TRUE(Eventually([this] { return loop_->alive(); }));
  loop_.reset();
  std::filesystem::remove_all(folder);
}

TEST_F(AcceptLoopTest, AThreadThatIsHeldUpIsNotAlive) {
  options_.patience = std::chrono::seconds(2);
  StartTcp();
  {
    const std::lock_guard<std::mutex> held(mu_);
    Connect("hello");
    EXPECT_TRUE(Eventually([this] { return !loop_->alive(); }));
  }
  EXPECT_TRUE(Eventually([this] { return loop_->alive(); }));
}

// Connections of a listener that the network reaches keep what the machine
// says.
TEST(ListeningSocketTest, OnlyLoopbackConnectionsAreNotPaced) {
  const auto congestion = [](const ListeningSocket& listener) {
    char name[16] = {};
    socklen_t size = sizeof(name);
    EXPECT_EQ(
        getsockopt(listener.fd(), IPPROTO_TCP, TCP_CONGESTION, name, &size), 0);
    return std::string(name);
  };
  const int plain = socket(AF_INET, SOCK_STREAM, 0);
  char machines[16] = {};
  socklen_t size = sizeof(machines);
  getsockopt(plain, IPPROTO_TCP, TCP_CONGESTION, machines, &size);
  close(plain);
  for (const char* local : {"127.0.0.1:0", "localhost:0"}) {
    const auto listeners = *ListeningSocket::OnAddress(local, false);
    for (const ListeningSocket& one : listeners) {
      EXPECT_EQ(congestion(one), "reno");
    }
  }
  const auto listeners = *ListeningSocket::OnAddress("0.0.0.0:0", true);
  for (const ListeningSocket& one : listeners) {
    EXPECT_EQ(congestion(one), machines);
  }
}

TEST_F(AcceptLoopTest, AUnixConnectionGetsALargerSendBuffer) {
  const std::string path = ::testing::TempDir() + "ink_widened";
  std::vector<ListeningSocket> listeners;
  listeners.push_back(*ListeningSocket::OnPath(path, {}));
  Start(std::move(listeners));
  const int client = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  ASSERT_EQ(
      connect(client, reinterpret_cast<sockaddr*>(&address), sizeof(address)),
      0);
  clients_.push_back(client);
  send(client, "x", 1, MSG_NOSIGNAL);
  ASSERT_TRUE(Eventually([this] { return served() == 1; }));
  const auto send_buffer = [](int fd) {
    int bytes = 0;
    socklen_t size = sizeof(bytes);
    getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, &size);
    return bytes;
  };
  EXPECT_GT(send_buffer(only_served()), send_buffer(client));
  loop_.reset();
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace inkstream::transport
