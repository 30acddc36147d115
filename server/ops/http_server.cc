#include "server/ops/http_server.h"

#include <microhttpd.h>
#include <sys/socket.h>

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/ops/held_requests.h"
#include "server/transport/listener/accept_loop.h"
#include "server/transport/listener/connection_table.h"
#include "server/transport/listener/listening_socket.h"
#include "server/transport/network_address.h"

namespace inkstream::ops {
namespace {

constexpr char kPlain[] = "text/plain; charset=utf-8";
constexpr char kMetrics[] = "text/plain; version=0.0.4; charset=utf-8";

// `mode`: MHD_RESPMEM_PERSISTENT where the body outlives the connection.
MHD_Result Send(MHD_Connection* connection, const HttpAnswer& answer,
                MHD_ResponseMemoryMode mode) {
  MHD_Response* const response = MHD_create_response_from_buffer(
      answer.body.size(), const_cast<char*>(answer.body.data()), mode);
  if (response == nullptr) return MHD_NO;
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                          answer.type.c_str());
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
  for (const auto& [name, value] : answer.headers) {
    MHD_add_response_header(response, name.c_str(), value.c_str());
  }
  const MHD_Result queued =
      MHD_queue_response(connection, answer.code, response);
  MHD_destroy_response(response);
  return queued;
}

MHD_Result Answer(MHD_Connection* connection, unsigned int code,
                  std::string text, const char* type = kPlain) {
  return Send(connection, {code, type, std::move(text)}, MHD_RESPMEM_MUST_COPY);
}

std::string HeaderOf(MHD_Connection* connection, const char* name) {
  const char* const value =
      MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value == nullptr ? "" : value;
}

HttpRequest RequestOf(MHD_Connection* connection, absl::string_view path) {
  HttpRequest request;
  request.path = std::string(path);
  MHD_get_connection_values(
      connection, MHD_GET_ARGUMENT_KIND,
      [](void* to, MHD_ValueKind, const char* name, const char* value) {
        static_cast<HttpRequest*>(to)->parameters[name] =
            value == nullptr ? "" : value;
        return MHD_YES;
      },
      &request);
  request.host = HeaderOf(connection, MHD_HTTP_HEADER_HOST);
  request.authorization = HeaderOf(connection, MHD_HTTP_HEADER_AUTHORIZATION);
  request.fetch_site = HeaderOf(connection, "Sec-Fetch-Site");
  return request;
}

// Without the port, if there is one.
absl::string_view HostAlone(absl::string_view host) {
  const size_t colon = host.rfind(':');
  const size_t bracket = host.rfind(']');
  const bool has_port =
      colon != absl::string_view::npos &&
      (bracket == absl::string_view::npos ? host.find(':') == colon
                                          : bracket < colon);
  return has_port ? host.substr(0, colon) : host;
}

// Or a header that is longer than is of interest.
bool HasWholeHeader(absl::string_view sent) {
  return absl::StrContains(sent, "\n\r\n") || absl::StrContains(sent, "\n\n");
}

class RunningHttpServer : public HttpServer {
 public:
  explicit RunningHttpServer(HttpPages pages)
      : pages_(std::move(pages)),
        held_(std::make_shared<HeldRequests>(
            HeldLimits{.bytes = pages_.page_bytes})) {}
  ~RunningHttpServer() override {
    accept_loop_.reset();
    held_->Stop();
    if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
  }

  absl::Status Listen(const std::string& address, bool network);
  int port() const override { return port_; }

 private:
  using Held = std::shared_ptr<HeldRequests::Request>;

  // Called once the header is there, and again once a request that was held is
  // answered. What is sent along is of no interest, and waiting for it would be
  // another way to be held up.
  static MHD_Result OnRequest(void* self, MHD_Connection* connection,
                              const char* path, const char* method,
                              const char* /*version*/, const char* /*upload*/,
                              size_t* /*upload_size*/, void** seen) {
    if (*seen != nullptr) {
      return Send(connection, HeldRequests::Take(**static_cast<Held*>(*seen)),
                  MHD_RESPMEM_PERSISTENT);
    }
    return static_cast<RunningHttpServer*>(self)->Serve(connection, path,
                                                        method, seen);
  }

  static void OnCompleted(void* self, MHD_Connection* /*connection*/,
                          void** seen, MHD_RequestTerminationCode /*how*/) {
    const std::unique_ptr<Held> held(static_cast<Held*>(*seen));
    *seen = nullptr;
    if (held != nullptr) {
      static_cast<RunningHttpServer*>(self)->held_->End(*held);
    }
  }

  MHD_Result AnswerReady(MHD_Connection* connection) const {
    const MHD_Result given = MHD_lookup_connection_value_n(
        connection, MHD_GET_ARGUMENT_KIND, "verbose", 7, nullptr, nullptr);
    bool ready = true;
    std::string text;
    for (const ReadyCheck& check : pages_.ready()) {
      const bool good = check.problem.empty();
      ready = ready && good;
      if (given == MHD_YES) {
        absl::StrAppend(&text, good ? "[+]" : "[-]", check.name, " ",
                        good ? "ok" : check.problem, "\n");
      } else if (!good) {
        absl::StrAppend(&text, check.name, ": ", check.problem, "\n");
      }
    }
    if (text.empty()) text = "ok\n";
    return Answer(connection,
                  ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, text);
  }

  // `seen` becomes what OnCompleted() gets.
  MHD_Result AskPage(MHD_Connection* connection, absl::string_view path,
                     void** seen) const {
    HttpRequest request = RequestOf(connection, path);
    if (only_here_ && !transport::IsLoopbackHost(HostAlone(request.host))) {
      return Answer(connection, MHD_HTTP_FORBIDDEN,
                    "this page is for this machine: ask localhost for it\n");
    }
    const Held held = held_->Hold(connection);
    if (held == nullptr) {
      return Send(connection, BusyAnswer("many others are asking: ask again"),
                  MHD_RESPMEM_MUST_COPY);
    }
    *seen = new Held(held);
    pages_.page(std::move(request), [all = held_, held](HttpAnswer answer) {
      all->Answer(held, std::move(answer));
    });
    return MHD_YES;
  }

  MHD_Result Serve(MHD_Connection* connection, absl::string_view path,
                   absl::string_view method, void** seen) const {
    if (method != MHD_HTTP_METHOD_GET && method != MHD_HTTP_METHOD_HEAD) {
      return Send(connection,
                  {MHD_HTTP_METHOD_NOT_ALLOWED,
                   kPlain,
                   absl::StrCat(method, " is not offered; GET is\n"),
                   {{MHD_HTTP_HEADER_ALLOW, "GET, HEAD"}}},
                  MHD_RESPMEM_MUST_COPY);
    }
    if (path == "/livez") {
      return pages_.alive() ? Answer(connection, MHD_HTTP_OK, "ok\n")
                            : Answer(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                                     "gRPC takes no new connections\n");
    }
    if (path == "/readyz") return AnswerReady(connection);
    if (path == "/metrics") {
      return Answer(connection, MHD_HTTP_OK, pages_.metrics(), kMetrics);
    }
    if (pages_.page != nullptr) return AskPage(connection, path, seen);
    return Answer(connection, MHD_HTTP_NOT_FOUND,
                  "no such page; there are /metrics, /livez and /readyz\n");
  }

  void HandOver(int fd, const transport::Peer& peer);

  const HttpPages pages_;
  const std::shared_ptr<HeldRequests> held_;
  bool only_here_ = false;  // listens to this machine alone
  // One peer may have all: probes and drips may come from one address.
  transport::ConnectionTable connections_{{kMaxConnections, kMaxConnections}};
  MHD_Daemon* daemon_ = nullptr;
  int port_ = 0;
  std::unique_ptr<transport::AcceptLoop> accept_loop_;
};

absl::Status RunningHttpServer::Listen(const std::string& address,
                                       bool network) {
  absl::StatusOr<std::vector<transport::ListeningSocket>> listeners =
      transport::ListeningSocket::OnAddress(address, network);
  if (!listeners.ok()) {
    return absl::Status(listeners.status().code(),
                        absl::StrCat("--http: ", listeners.status().message()));
  }
  port_ = listeners->front().port();
  const absl::StatusOr<transport::ListenAddress> parsed =
      transport::ParseListenAddress(address);
  if (!parsed.ok()) return parsed.status();
  only_here_ = transport::IsLoopbackHost(parsed->host);
  // Those that were displaced may not be gone yet, hence the factor.
  daemon_ = MHD_start_daemon(
      MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC |
          MHD_ALLOW_SUSPEND_RESUME,
      0, nullptr, nullptr, &OnRequest, this, MHD_OPTION_NOTIFY_COMPLETED,
      &OnCompleted, this, MHD_OPTION_CONNECTION_TIMEOUT, kRequestSeconds,
      MHD_OPTION_CONNECTION_LIMIT, 2 * kMaxConnections, MHD_OPTION_END);
  if (daemon_ == nullptr) {
    return absl::UnavailableError("--http: no thread to answer can be started");
  }
  const std::chrono::seconds limit(kRequestSeconds);
  absl::StatusOr<std::unique_ptr<transport::AcceptLoop>> loop =
      transport::AcceptLoop::Create(
          *std::move(listeners),
          {.what = "HTTP",
           .silence = limit,
           .lifetime = limit,
           .complete = &HasWholeHeader},
          &connections_,
          [this](int fd, const transport::Peer& peer) { HandOver(fd, peer); });
  if (!loop.ok()) return loop.status();
  accept_loop_ = *std::move(loop);
  accept_loop_->Begin();
  return absl::OkStatus();
}

void RunningHttpServer::HandOver(int fd, const transport::Peer& peer) {
  connections_.HandOver(fd, peer.name);
  sockaddr_storage address = {};
  socklen_t size = sizeof(address);
  getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size);
  // Closes `fd` also where it fails.
  MHD_add_connection(daemon_, fd, reinterpret_cast<sockaddr*>(&address), size);
}

}  // namespace

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(
    const std::string& address, bool network, HttpPages pages) {
  auto server = std::make_unique<RunningHttpServer>(std::move(pages));
  absl::Status listening = server->Listen(address, network);
  if (!listening.ok()) return listening;
  return server;
}

}  // namespace inkstream::ops
