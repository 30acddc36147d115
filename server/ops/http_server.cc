#include "server/ops/http_server.h"

#include <microhttpd.h>
#include <sys/socket.h>

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/transport/listener/accept_loop.h"
#include "server/transport/listener/connection_table.h"
#include "server/transport/listener/listening_socket.h"

namespace inkstream::ops {
namespace {

constexpr char kPlain[] = "text/plain; charset=utf-8";
constexpr char kMetrics[] = "text/plain; version=0.0.4; charset=utf-8";

MHD_Result Answer(MHD_Connection* connection, unsigned int code,
                  const std::string& text, const char* type = kPlain) {
  MHD_Response* const response = MHD_create_response_from_buffer(
      text.size(), const_cast<char*>(text.data()), MHD_RESPMEM_MUST_COPY);
  if (response == nullptr) return MHD_NO;
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
  if (code == MHD_HTTP_METHOD_NOT_ALLOWED) {
    MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  }
  const MHD_Result queued = MHD_queue_response(connection, code, response);
  MHD_destroy_response(response);
  return queued;
}

// Or a header that is longer than is of interest.
bool HasWholeHeader(absl::string_view sent) {
  return absl::StrContains(sent, "\n\r\n") || absl::StrContains(sent, "\n\n");
}

class RunningHttpServer : public HttpServer {
 public:
  explicit RunningHttpServer(HttpPages pages) : pages_(std::move(pages)) {}
  ~RunningHttpServer() override {
    accept_loop_.reset();
    if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
  }

  absl::Status Listen(const std::string& address, bool network);
  int port() const override { return port_; }

 private:
  // Called once the header is there. What is sent along is of no interest, and
  // waiting for it would be another way to be held up.
  static MHD_Result OnRequest(void* self, MHD_Connection* connection,
                              const char* path, const char* method,
                              const char* /*version*/, const char* /*upload*/,
                              size_t* /*upload_size*/, void** /*seen*/) {
    return static_cast<RunningHttpServer*>(self)->Serve(connection, path,
                                                        method);
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

  MHD_Result Serve(MHD_Connection* connection, absl::string_view path,
                   absl::string_view method) const {
    if (method != MHD_HTTP_METHOD_GET && method != MHD_HTTP_METHOD_HEAD) {
      return Answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
                    absl::StrCat(method, " is not offered; GET is\n"));
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
    return Answer(connection, MHD_HTTP_NOT_FOUND,
                  "no such page; there are /metrics, /livez and /readyz\n");
  }

  void HandOver(int fd, const transport::Peer& peer);

  const HttpPages pages_;
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
  // Those that were displaced may not be gone yet, hence the factor.
  daemon_ = MHD_start_daemon(
      MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC, 0,
      nullptr, nullptr, &OnRequest, this, MHD_OPTION_CONNECTION_TIMEOUT,
      kRequestSeconds, MHD_OPTION_CONNECTION_LIMIT, 2 * kMaxConnections,
      MHD_OPTION_END);
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
