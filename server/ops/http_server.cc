#include "server/ops/http_server.h"

#include <microhttpd.h>
#include <netdb.h>
#include <sys/socket.h>

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

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
  if (code == MHD_HTTP_METHOD_NOT_ALLOWED) {
    MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  }
  const MHD_Result queued = MHD_queue_response(connection, code, response);
  MHD_destroy_response(response);
  return queued;
}

class RunningHttpServer : public HttpServer {
 public:
  explicit RunningHttpServer(HttpPages pages) : pages_(std::move(pages)) {}
  ~RunningHttpServer() override {
    if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
  }

  absl::Status Listen(const std::string& host, int port);
  int port() const override { return port_; }

 private:
  static MHD_Result OnRequest(void* self, MHD_Connection* connection,
                              const char* path, const char* method,
                              const char* /*version*/, const char* /*upload*/,
                              size_t* upload_size, void** seen) {
    // Called for the headers first; an answer is due once all was received.
    static int headers_seen;
    if (*seen == nullptr) {
      *seen = &headers_seen;
      return MHD_YES;
    }
    if (*upload_size > 0) {
      *upload_size = 0;  // nothing that is sent along is of interest
      return MHD_YES;
    }
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
    if (path == "/livez") return Answer(connection, MHD_HTTP_OK, "ok\n");
    if (path == "/readyz") {
      return AnswerReady(connection);
    }
    if (path == "/metrics") {
      return Answer(connection, MHD_HTTP_OK, pages_.metrics(), kMetrics);
    }
    return Answer(connection, MHD_HTTP_NOT_FOUND,
                  "no such page; there are /metrics, /livez and /readyz\n");
  }

  const HttpPages pages_;
  MHD_Daemon* daemon_ = nullptr;
  int port_ = 0;
};

absl::Status RunningHttpServer::Listen(const std::string& host, int port) {
  const auto failed = [&](absl::string_view why) {
    return absl::UnavailableError(
        absl::StrCat("--http: cannot listen on ", host, ":", port, ": ", why,
                     "; give another one, or port 0"));
  };
  std::string name = host;
  if (name.size() > 2 && name.front() == '[' && name.back() == ']') {
    name = name.substr(1, name.size() - 2);
  }
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int looked_up =
      getaddrinfo(name.c_str(), absl::StrCat(port).c_str(), &hints, &found);
  if (looked_up != 0) return failed(gai_strerror(looked_up));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> address(found,
                                                               freeaddrinfo);
  unsigned int flags = MHD_USE_AUTO_INTERNAL_THREAD;
  if (address->ai_family == AF_INET6) flags |= MHD_USE_IPv6;
  daemon_ = MHD_start_daemon(flags, static_cast<uint16_t>(port), nullptr,
                             nullptr, &OnRequest, this, MHD_OPTION_SOCK_ADDR,
                             address->ai_addr, MHD_OPTION_CONNECTION_TIMEOUT,
                             kIdleSeconds, MHD_OPTION_CONNECTION_LIMIT,
                             kMaxConnections, MHD_OPTION_END);
  if (daemon_ == nullptr) {
    return failed("the port is taken or the address is not this machine's");
  }
  const MHD_DaemonInfo* const bound =
      MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_BIND_PORT);
  port_ = bound == nullptr ? port : bound->port;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(
    const std::string& host, int port, HttpPages pages) {
  auto server = std::make_unique<RunningHttpServer>(std::move(pages));
  absl::Status listening = server->Listen(host, port);
  if (!listening.ok()) return listening;
  return server;
}

}  // namespace inkstream::ops
