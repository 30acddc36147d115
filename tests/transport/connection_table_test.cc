#include "server/transport/listener/connection_table.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace inkstream::transport {
namespace {

// Both ends of a connection. The table gets `served`.
class Pair {
 public:
  Pair() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    served_ = ends[0];
    client_ = ends[1];
  }
  Pair(Pair&& other) noexcept
      : served_(std::exchange(other.served_, -1)),
        client_(std::exchange(other.client_, -1)) {}
  ~Pair() {
    Close();
    if (client_ >= 0) close(client_);
  }

  int served() const { return served_; }
  void Close() {
    if (served_ >= 0) close(std::exchange(served_, -1));
  }
  bool IsShutDown() const {
    char byte;
    return recv(client_, &byte, 1, MSG_DONTWAIT) == 0;
  }

 private:
  int served_;
  int client_;
};

Peer From(const std::string& host) { return {host + ":1", host, false}; }

class ConnectionTableTest : public ::testing::Test {
 protected:
  // Admitted and handed over under the name of its place in `pairs_`.
  bool Open(const std::string& host) {
    pairs_.emplace_back();
    const int fd = pairs_.back().served();
    if (!table_.Admit(fd, From(host))) return false;
    table_.HandOver(fd, std::to_string(pairs_.size() - 1));
    return true;
  }

  std::vector<Pair> pairs_;
  ConnectionTable table_{{/*all=*/4, /*of_a_peer=*/3}};
};

TEST_F(ConnectionTableTest, APeerOverItsLimitGivesUpItsOwnOldest) {
  EXPECT_TRUE(Open("b"));
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(Open("a"));
  EXPECT_FALSE(pairs_[0].IsShutDown());
  EXPECT_TRUE(pairs_[1].IsShutDown());
  EXPECT_FALSE(pairs_[2].IsShutDown());
  EXPECT_EQ(table_.counts().displaced, 1U);
}

TEST_F(ConnectionTableTest, AtTheLimitOfAllThePeerWithMostMakesRoom) {
  EXPECT_TRUE(Open("b"));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Open("a"));
  EXPECT_TRUE(Open("c"));
  EXPECT_FALSE(pairs_[0].IsShutDown()) << "the oldest, but of another peer";
  EXPECT_TRUE(pairs_[1].IsShutDown());
  EXPECT_EQ(table_.counts().open, 4U);
  EXPECT_EQ(table_.counts().limit, 4U);
  EXPECT_EQ(table_.counts().of_a_peer, 2U);
  EXPECT_EQ(table_.counts().limit_of_a_peer, 3U);
}

TEST_F(ConnectionTableTest, OtherLimitsCountFromTheNextConnectionOn) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Open("a"));
  table_.SetLimits({/*all=*/5, /*of_a_peer=*/1});
  EXPECT_EQ(table_.counts().limit, 5U);
  EXPECT_EQ(table_.counts().displaced, 0U);
  EXPECT_TRUE(Open("b"));
  EXPECT_TRUE(Open("c"));
  EXPECT_EQ(table_.counts().displaced, 0U);
  EXPECT_TRUE(Open("b"));
  EXPECT_TRUE(pairs_[3].IsShutDown());
}

TEST_F(ConnectionTableTest, WhoHasACallStaysAndTheNewcomerIsRefused) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(Open("a"));
    EXPECT_NE(table_.BeginCall(std::to_string(i)), nullptr);
  }
  EXPECT_FALSE(Open("a"));
  EXPECT_EQ(table_.counts().refused, 1U);
  EXPECT_TRUE(Open("b"));
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(pairs_[i].IsShutDown());
}

TEST_F(ConnectionTableTest, TheLastCallsEndMakesItTheYoungestWithoutOne) {
  std::vector<std::shared_ptr<ConnectionTable::Connection>> calls;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Open("a"));
  const auto first = table_.BeginCall("0");
  const auto second = table_.BeginCall("0");
  table_.EndCall(first);
  EXPECT_TRUE(Open("a"));
  EXPECT_TRUE(pairs_[1].IsShutDown());
  table_.EndCall(second);
  EXPECT_TRUE(Open("a"));
  EXPECT_TRUE(pairs_[2].IsShutDown());
  EXPECT_TRUE(Open("a"));
  EXPECT_FALSE(pairs_[0].IsShutDown());
  EXPECT_TRUE(Open("a"));
  EXPECT_TRUE(pairs_[0].IsShutDown());
}

TEST_F(ConnectionTableTest, WhatServesAConnectionMayCloseItWithoutAWord) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Open("a"));
  const auto call = table_.BeginCall("1");
  pairs_[1].Close();
  pairs_[2].Close();
  table_.Sweep(std::chrono::milliseconds(0));
  EXPECT_EQ(table_.counts().open, 1U);
  EXPECT_EQ(table_.BeginCall("1"), nullptr);
  table_.EndCall(call);
  table_.EndCall(nullptr);
}

TEST_F(ConnectionTableTest, ADescriptorThatIsAnotherOnesNowIsNotTouched) {
  EXPECT_TRUE(Open("a"));
  const int fd = pairs_[0].served();
  pairs_[0].Close();
  const Pair stranger;
  ASSERT_EQ(dup2(stranger.served(), fd), fd);
  EXPECT_TRUE(Open("a"));
  EXPECT_TRUE(Open("a"));
  table_.MakeRoom();
  EXPECT_FALSE(stranger.IsShutDown());
  close(fd);
}

TEST_F(ConnectionTableTest, ANumberThatComesBackIsTheNewConnections) {
  EXPECT_TRUE(Open("a"));
  const int fd = pairs_[0].served();
  const auto call = table_.BeginCall("0");
  pairs_[0].Close();
  const Pair next;
  ASSERT_EQ(dup2(next.served(), fd), fd);
  ASSERT_TRUE(table_.Admit(fd, From("b")));
  table_.HandOver(fd, "0");
  table_.EndCall(call);
  EXPECT_EQ(table_.PeerOf("0").caller, "b");
  EXPECT_EQ(table_.counts().open, 1U);
  close(fd);
}

TEST_F(ConnectionTableTest, WhatHasHadItsTimeIsShutDown) {
  EXPECT_TRUE(Open("a"));
  table_.Sweep(std::chrono::hours(1));
  EXPECT_FALSE(pairs_[0].IsShutDown());
  table_.Sweep(std::chrono::milliseconds(1));
  while (!pairs_[0].IsShutDown()) table_.Sweep(std::chrono::milliseconds(1));
}

TEST_F(ConnectionTableTest, AUserIsTheCallerOverAUnixSocket) {
  const Pair pair;
  const Peer peer = PeerOfSocket(pair.served());
  EXPECT_TRUE(peer.is_unix);
  EXPECT_EQ(peer.caller, "unix:uid=" + std::to_string(getuid()));
  EXPECT_EQ(peer.name, peer.caller + ",pid=" + std::to_string(getpid()));
}

TEST_F(ConnectionTableTest, AllUnknownNamesAreOneCaller) {
  const Peer unknown = table_.PeerOf("ipv4:10.0.0.1:1");
  EXPECT_EQ(unknown.name, "ipv4:10.0.0.1:1");
  EXPECT_EQ(unknown.caller, table_.PeerOf("ipv4:10.0.0.1:2").caller);
  EXPECT_EQ(table_.BeginCall("nobody"), nullptr);
}

}  // namespace
}  // namespace inkstream::transport
