#include "server/ops/http_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <mutex>
#include <vector>

namespace inkstream::ops {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::StartsWith;

class HttpServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto server = HttpServer::Start(
        "127.0.0.1:0", {},
        {[this] { return "figures " + std::to_string(++made_) + "\n"; },
         [this] { return alive_.load(); }, [this] { return Checks(); }});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  std::vector<ReadyCheck> Checks() const {
    return {{"stores", ""}, {"serving", ready_ ? "" : "draining"}};
  }

  int Connect() const {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(server_->port()));
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    EXPECT_EQ(
        connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)),
        0);
    return socket;
  }

  std::string Ask(const std::string& request) const {
    const int socket = Connect();
    EXPECT_EQ(send(socket, request.data(), request.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(request.size()));
    std::string answer;
    char bytes[4096];
    for (ssize_t got; (got = recv(socket, bytes, sizeof(bytes), 0)) > 0;) {
      answer.append(bytes, static_cast<size_t>(got));
    }
    close(socket);
    return answer;
  }
  std::string Get(const std::string& path) const {
    return Ask("GET " + path + " HTTP/1.0\r\n\r\n");
  }

  std::atomic<int> made_{0};  // pages of metrics
  std::atomic<bool> alive_{true};
  std::atomic<bool> ready_{true};
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, PagesAnswer) {
  EXPECT_THAT(Get("/livez"), HasSubstr("200 OK"));
  EXPECT_THAT(Get("/readyz"), HasSubstr("200 OK"));
  EXPECT_THAT(Get("/metrics"),
              AllOf(HasSubstr("200 OK"), HasSubstr("version=0.0.4"),
                    HasSubstr("\r\n\r\nfigures 1\n")));
}

TEST_F(HttpServerTest, ServerThatDrainsLivesAndIsNotReady) {
  ready_ = false;
  EXPECT_THAT(Get("/readyz"),
              AllOf(HasSubstr("503"), EndsWith("\r\n\r\nserving: draining\n")));
  EXPECT_THAT(Get("/livez"), HasSubstr("200 OK"));
}

TEST_F(HttpServerTest, EveryCheckIsToldWhereAllAreAskedFor) {
  EXPECT_THAT(Get("/readyz?verbose"),
              AllOf(HasSubstr("200 OK"),
                    EndsWith("\r\n\r\n[+]stores ok\n[+]serving ok\n")));
  ready_ = false;
  EXPECT_THAT(Get("/readyz?verbose=1"),
              AllOf(HasSubstr("503"),
                    EndsWith("\r\n\r\n[+]stores ok\n[-]serving draining\n")));
}

TEST_F(HttpServerTest, WrongRequestsAreToldWhatThereIs) {
  EXPECT_THAT(Get("/metric"), AllOf(HasSubstr("404"), HasSubstr("/metrics")));
  EXPECT_THAT(Ask("POST /metrics HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi"),
              AllOf(HasSubstr("405"), HasSubstr("Allow: GET")));
  EXPECT_THAT(Ask("\x16\x03\x01 not http at all\r\n\r\n"), HasSubstr("400"));
}

TEST_F(HttpServerTest, AnswersThatAreNoProbesAreCountedByTheirCode) {
  std::mutex mu;
  std::map<unsigned int, int> answered;
  HttpPages pages = {
      .metrics = [] { return std::string(); },
      .alive = [] { return true; },
      .ready = [] { return std::vector<ReadyCheck>(); },
      .page =
          [](const HttpRequest& request, const HttpDone& done) {
            done({request.authorization.empty() ? 401U : 200U, "", "", {}});
          },
      .answered =
          [&](unsigned int code) {
            const std::lock_guard<std::mutex> lock(mu);
            ++answered[code];
          }};
  auto server = HttpServer::Start("127.0.0.1:0", {}, std::move(pages));
  ASSERT_TRUE(server.ok()) << server.status();
  server_ = *std::move(server);
  for (const char* const request :
       {"GET /livez HTTP/1.0\r\n\r\n", "GET /readyz HTTP/1.0\r\n\r\n",
        "GET /metrics HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: localhost\r\nAuthorization: x\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: evil.example\r\n\r\n",
        "PUT / HTTP/1.0\r\nHost: localhost\r\n\r\n"}) {
    EXPECT_THAT(Ask(request), StartsWith("HTTP/1"));
  }
  server_.reset();
  EXPECT_THAT(answered, ElementsAre(Pair(200, 1), Pair(401, 1), Pair(403, 1),
                                    Pair(405, 1)));
}

TEST_F(HttpServerTest, ServerThatNobodyReachesDoesNotLive) {
  alive_ = false;
  EXPECT_THAT(Get("/livez"), HasSubstr("503"));
  EXPECT_THAT(Get("/metrics"), HasSubstr("200 OK"));
}

// More than there may be at once, each as far as the header's last line.
TEST_F(HttpServerTest, RequestsThatDripInKeepNobodyOut) {
  std::vector<int> dripping;
  for (unsigned int i = 0; i < kMaxConnections + 100; ++i) {
    dripping.push_back(Connect());
    send(dripping.back(), "GET /livez HTTP/1.1\r\nX: ", 24, MSG_NOSIGNAL);
  }
  for (int probe = 0; probe < 10; ++probe) {
    for (const int one : dripping) send(one, "x", 1, MSG_NOSIGNAL);
    EXPECT_THAT(Get("/livez"), HasSubstr("200 OK"));
  }
  for (const int one : dripping) close(one);
}

// They take long to make, and probes would wait behind them.
TEST_F(HttpServerTest, MetricsThatManyAskForAreMadeOnce) {
  EXPECT_THAT(Get("/metrics"), EndsWith("figures 1\n"));
  EXPECT_THAT(Get("/metrics"), EndsWith("figures 2\n")) << "few ask";
  // Those who say nothing are waited for so long that there are always many.
  std::vector<int> silent;
  for (int i = 0; i < 300; ++i) {
    silent.push_back(Connect());
    EXPECT_THAT(Get("/metrics"), HasSubstr("figures "));
  }
  for (const int one : silent) close(one);
  // One a second, and those of the first ones, who were few.
  EXPECT_LT(made_, 100);
}

// Whole headers, and then a body by and by.
TEST_F(HttpServerTest, BodiesThatDripInAreNotWaitedFor) {
  std::vector<int> dripping;
  for (unsigned int i = 0; i < kMaxConnections + 100; ++i) {
    dripping.push_back(Connect());
    const std::string begins = i % 2 == 0
                                   ? "POST /livez HTTP/1.1\r\nHost: x\r\n"
                                     "Content-Length: 1000000\r\n\r\n"
                                   : "GET /livez HTTP/1.1\r\nHost: x\r\n"
                                     "Transfer-Encoding: chunked\r\n\r\n1\r\n";
    send(dripping.back(), begins.data(), begins.size(), MSG_NOSIGNAL);
  }
  for (int probe = 0; probe < 10; ++probe) {
    EXPECT_THAT(Get("/livez"), HasSubstr("200 OK"));
  }
  for (const int one : dripping) close(one);
}

TEST_F(HttpServerTest, AConnectionEndsWithItsAnswer) {
  EXPECT_THAT(Ask("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"),
              AllOf(HasSubstr("200 OK"), HasSubstr("Connection: close")));
}

TEST_F(HttpServerTest, PortThatIsTakenIsAnErrorWithTheWayOut) {
  const auto second =
      HttpServer::Start("127.0.0.1:" + std::to_string(server_->port()), {},
                        {[] { return std::string(); }, [] { return true; },
                         [] { return std::vector<ReadyCheck>(); }});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.status().message()),
              AllOf(StartsWith("--http: cannot listen on 127.0.0.1:"),
                    HasSubstr("port 0")));
}

TEST_F(HttpServerTest, TheNetworkMustBeAskedFor) {
  const auto open =
      HttpServer::Start("0.0.0.0:0", {},
                        {[] { return std::string(); }, [] { return true; },
                         [] { return std::vector<ReadyCheck>(); }});
  EXPECT_EQ(open.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(open.status().message()),
              HasSubstr("--insecure-network"));
}

}  // namespace
}  // namespace inkstream::ops
