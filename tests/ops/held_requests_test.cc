// What the page is asked, at the HTTP port: held until it is answered, while
// probes are answered at once.
#include "server/ops/held_requests.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/base/network_address.h"
#include "server/batch/work/caller_sums.h"
#include "server/ops/http_server.h"

namespace inkstream::ops {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr size_t kPageBytes = size_t{24} << 20U;

class HeldRequestsTest : public ::testing::Test {
 protected:
  HeldRequestsTest() { Start("127.0.0.1:0"); }

  void Start(const std::string& address) {
    auto server = HttpServer::Start(
        address, {.network = true},
        {.metrics = [] { return std::string("figures 1\n"); },
         .alive = [] { return true; },
         .ready = [] { return std::vector<ReadyCheck>(); },
         .page = [this](HttpRequest request,
                        HttpDone done) { Take(std::move(request), done); },
         .page_bytes = kPageBytes});
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  // /now is answered by this very thread, all else by AnswerAll().
  void Take(HttpRequest request, const HttpDone& done) {
    if (request.path == "/now") return done({.body = "at once\n"});
    const std::lock_guard<std::mutex> lock(mu_);
    asked_.emplace_back(std::move(request), done);
    changed_.notify_all();
  }

  std::vector<std::pair<HttpRequest, HttpDone>> WaitForAsked(size_t requests) {
    std::unique_lock<std::mutex> lock(mu_);
    changed_.wait(lock, [&] { return asked_.size() >= requests; });
    return asked_;
  }

  int Connect(const std::string& host) const {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(server_->port()));
    inet_pton(AF_INET, host.c_str(), &address.sin_addr);
    EXPECT_EQ(
        connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)),
        0);
    return socket;
  }

  int Ask(const std::string& path, const std::string& host = "localhost",
          const std::string& more = "",
          const std::string& at = "127.0.0.1") const {
    const int socket = Connect(at);
    const std::string request =
        "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n" + more + "\r\n";
    EXPECT_EQ(send(socket, request.data(), request.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(request.size()));
    return socket;
  }

  static std::string Read(int socket) {
    std::string answer;
    char bytes[4096];
    for (ssize_t got; (got = recv(socket, bytes, sizeof(bytes), 0)) > 0;) {
      answer.append(bytes, static_cast<size_t>(got));
    }
    close(socket);
    return answer;
  }

  std::string Get(const std::string& path) const { return Read(Ask(path)); }

  std::mutex mu_;
  std::condition_variable changed_;
  std::vector<std::pair<HttpRequest, HttpDone>> asked_;  // by mu_
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HeldRequestsTest, AnAnswerComesWhenItIsThere) {
  const int socket = Ask("/a%20b?x=1%2B1&y=", "127.0.0.1:80",
                         "Authorization: Bearer t\r\n"
                         "Sec-Fetch-Site: same-origin\r\n");
  const auto [request, done] = WaitForAsked(1).front();
  EXPECT_EQ(request.path, "/a b");
  EXPECT_EQ(request.parameters.at("x"), "1+1");
  EXPECT_EQ(request.parameters.at("y"), "");
  EXPECT_EQ(request.host, "127.0.0.1:80");
  EXPECT_EQ(request.authorization, "Bearer t");
  EXPECT_EQ(request.fetch_site, "same-origin");
  std::thread([done = done] {
    done({201, "a/b", "made", {{"X-Kind", "page"}}});
    done({500, "a/b", "the second does not count"});
  }).join();
  EXPECT_THAT(Read(socket),
              AllOf(HasSubstr(" 201 "), HasSubstr("Content-Type: a/b"),
                    HasSubstr("X-Kind: page"), EndsWith("\r\n\r\nmade")));
}

TEST_F(HeldRequestsTest, AnAnswerMayComeFromTheAskingThread) {
  EXPECT_THAT(Get("/now"), EndsWith("\r\n\r\nat once\n"));
}

TEST_F(HeldRequestsTest, ProbesAnswerWhileThePageIsAtWork) {
  std::vector<int> held;
  const size_t most = batch::CallerShare(HeldLimits().requests);
  for (size_t i = 0; i < most; ++i) held.push_back(Ask("/slow"));
  const auto asked = WaitForAsked(most);
  for (const char* path : {"/livez", "/readyz", "/metrics"}) {
    EXPECT_THAT(Get(path), HasSubstr("200 OK")) << path;
  }
  EXPECT_THAT(Get("/slow"),
              AllOf(HasSubstr("503"), HasSubstr("Retry-After: 1")));
  for (const auto& [request, done] : asked) done({.body = "late\n"});
  for (const int socket : held) {
    EXPECT_THAT(Read(socket), AllOf(HasSubstr("200 OK"), EndsWith("late\n")));
  }
  EXPECT_THAT(Get("/now"), HasSubstr("200 OK"));
}

// An address of this machine that is not loopback's, hence another caller; ""
// where it has none.
std::string OtherAddress() {
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return "";
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(all, freeifaddrs);
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET) {
      continue;
    }
    char text[INET_ADDRSTRLEN] = {};
    sockaddr_in address;
    std::memcpy(&address, one->ifa_addr, sizeof(address));
    inet_ntop(AF_INET, &address.sin_addr, text, sizeof(text));
    if (!IsLoopbackHost(text)) return text;
  }
  return "";
}

TEST_F(HeldRequestsTest, OneCallerLeavesPlacesToOthers) {
  const std::string other = OtherAddress();
  if (other.empty()) GTEST_SKIP() << "this machine has loopback alone";
  Start("0.0.0.0:0");
  std::vector<int> held;
  const size_t most = batch::CallerShare(HeldLimits().requests);
  for (size_t i = 0; i < most; ++i) held.push_back(Ask("/slow"));
  WaitForAsked(most);
  EXPECT_THAT(Get("/now"), HasSubstr("503"));
  EXPECT_THAT(Read(Ask("/now", "localhost", "", other)), HasSubstr("200 OK"));
  for (const auto& [request, done] : WaitForAsked(most)) done({.body = "x"});
  for (const int socket : held) Read(socket);
}

TEST_F(HeldRequestsTest, WhatIsNeverAnsweredMakesRoomForOthers) {
  std::vector<int> held;
  const size_t most = batch::CallerShare(HeldLimits().requests);
  for (size_t i = 0; i < most; ++i) held.push_back(Ask("/slow"));
  const auto asked = WaitForAsked(most);
  while (Get("/now").find("200 OK") == std::string::npos) {
  }
  // What comes late goes nowhere, or to whom it is not late for yet.
  for (const auto& [request, done] : asked) done({.body = "late"});
  for (const int socket : held) Read(socket);
}

// Whoever reads nothing has had its answer made all the same.
TEST_F(HeldRequestsTest, AnswersThatNobodyReadsAreBounded) {
  const std::string body(batch::CallerShare(kPageBytes) / 2 - 1, 'x');
  std::vector<int> sockets;
  for (size_t i = 1; i <= 4; ++i) {
    sockets.push_back(Ask("/big"));
    WaitForAsked(i).back().second({.body = body});
  }
  EXPECT_THAT(Read(sockets[2]), StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(Read(sockets[3]), HasSubstr("at most 25165824 are kept"));
  EXPECT_THAT(Read(sockets[0]), EndsWith("xxx"));
  EXPECT_THAT(Read(sockets[1]), EndsWith("xxx"));
  const int again = Ask("/big");
  WaitForAsked(5).back().second({.body = body});
  EXPECT_THAT(Read(again), StartsWith("HTTP/1.1 200"));
}

TEST_F(HeldRequestsTest, WhoLeavesMayBeAnswered) {
  close(Ask("/slow"));
  WaitForAsked(1).front().second({.body = "for nobody"});
  EXPECT_THAT(Get("/now"), HasSubstr("200 OK"));
}

TEST_F(HeldRequestsTest, AServerThatStopsAnswersWhatItHolds) {
  const int socket = Ask("/slow");
  const auto asked = WaitForAsked(1);
  server_.reset();
  EXPECT_THAT(Read(socket), AnyOf(HasSubstr("503"), std::string()));
  asked.front().second({.body = "too late"});
}

// A web page of a stranger's whose name leads to this machine.
TEST_F(HeldRequestsTest, ThePageIsForThoseWhoAskThisMachine) {
  for (const char* host : {"evil.example", "evil.example:9101", "127.0.0.1.x",
                           "10.0.0.7", "[fd00::7]:80", ""}) {
    EXPECT_THAT(Read(Ask("/now", host)), HasSubstr("403")) << host;
    EXPECT_THAT(Read(Ask("/livez", host)), HasSubstr("200 OK")) << host;
  }
  for (const char* host : {"localhost", "localhost:9101", "127.0.0.1:1",
                           "127.3.2.1", "[::1]:9101", "[::1]"}) {
    EXPECT_THAT(Read(Ask("/now", host)), HasSubstr("200 OK")) << host;
  }
}

TEST(HeldRequestsNetworkTest, OnANetworkItGoesByAnyName) {
  const auto server = HttpServer::Start(
      "0.0.0.0:0", {.network = true},
      {.metrics = [] { return std::string(); },
       .alive = [] { return true; },
       .ready = [] { return std::vector<ReadyCheck>(); },
       .page = [](const HttpRequest& request,
                  const HttpDone& done) { done({.body = request.host}); }});
  ASSERT_TRUE(server.ok()) << server.status();
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>((*server)->port()));
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  ASSERT_EQ(
      connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)),
      0);
  const std::string request = "GET / HTTP/1.1\r\nHost: inkstream.svc\r\n\r\n";
  send(socket, request.data(), request.size(), MSG_NOSIGNAL);
  std::string answer(4096, '\0');
  answer.resize(recv(socket, answer.data(), answer.size(), MSG_WAITALL));
  EXPECT_THAT(answer, EndsWith("\r\n\r\ninkstream.svc"));
  close(socket);
}

}  // namespace
}  // namespace inkstream::ops
