#include "server/ops/http_server.h"

#include <microhttpd.h>
#include <sys/socket.h>

#include <chrono>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/base/network_address.h"
#include "server/ops/held_requests.h"
#include "server/ops/http_daemon.h"
#include "server/ops/http_received.h"
#include "server/transport/listener/accept_loop.h"
#include "server/transport/listener/connection_table.h"
#include "server/transport/listener/listening_socket.h"

namespace inkstream::ops {
namespace {

constexpr char kPlain[] = "text/plain; charset=utf-8";
constexpr char kMetrics[] = "text/plain; version=0.0.4; charset=utf-8";
// Metrics, where more connections than these are open.
constexpr std::chrono::seconds kStillNew(1);
constexpr uint32_t kFewAsk = 8;

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

// Of TLS: a handshake. No method of HTTP begins with it.
constexpr char kHandshake = '\x16';

bool BeginsWithHandshake(int fd) {
  char first = 0;
  return recv(fd, &first, 1, MSG_PEEK | MSG_DONTWAIT) == 1 &&
         first == kHandshake;
}

bool HasWholeHeader(absl::string_view sent) {
  return absl::StrContains(sent, "\n\r\n") || absl::StrContains(sent, "\n\n");
}

class RunningHttpServer : public HttpServer {
 public:
  explicit RunningHttpServer(HttpPages pages)
      : pages_(std::move(pages)),
        held_(std::make_shared<HeldRequests>(
            HeldLimits{.bytes = pages_.page_bytes,
                       .patience = std::chrono::seconds(kRequestSeconds)})) {}
  ~RunningHttpServer() override {
    accept_loop_.reset();
    held_->Stop();
  }

  absl::Status Listen(const std::string& address, const HttpOptions& options);
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

  MHD_Result Refuse(MHD_Connection* connection,
                    const HttpAnswer& answer) const {
    if (pages_.answered != nullptr) pages_.answered(answer.code);
    return Send(connection, answer, MHD_RESPMEM_MUST_COPY);
  }

  // Whoever has typed a host and a port is led on; a token that has come in
  // plaintext is not to come like this again.
  MHD_Result LeadToTls(MHD_Connection* connection,
                       const HttpRequest& request) const {
    const std::string there = absl::StrCat("https://", request.host, "/");
    if (request.path != "/" || request.host.empty()) {
      return Refuse(connection,
                    {MHD_HTTP_FORBIDDEN, kPlain,
                     absl::StrCat("this is for https: ask ", there, "\n")});
    }
    return Send(connection,
                {MHD_HTTP_PERMANENT_REDIRECT,
                 kPlain,
                 absl::StrCat("the page is at ", there, "\n"),
                 {{MHD_HTTP_HEADER_LOCATION, there}}},
                MHD_RESPMEM_MUST_COPY);
  }

  // `seen` becomes what OnCompleted() gets.
  MHD_Result AskPage(MHD_Connection* connection, absl::string_view path,
                     void** seen) const {
    HttpRequest request = RequestOf(connection, path);
    if (tls_ != nullptr && !only_here_ && !IsEncrypted(connection)) {
      return LeadToTls(connection, request);
    }
    if (only_here_ && !IsLoopbackHost(HostAlone(request.host))) {
      return Refuse(connection,
                    {MHD_HTTP_FORBIDDEN, kPlain,
                     "this page is for this machine: ask localhost for it\n"});
    }
    const Held held = held_->Hold(connection, request.caller);
    if (held == nullptr) {
      return Refuse(connection,
                    BusyAnswer("many others are asking: ask again"));
    }
    *seen = new Held(held);
    pages_.page(
        std::move(request),
        [all = held_, held, answered = pages_.answered](HttpAnswer answer) {
          if (answered != nullptr) answered(answer.code);
          all->Answer(held, std::move(answer));
        });
    return MHD_YES;
  }

  MHD_Result Serve(MHD_Connection* connection, absl::string_view path,
                   absl::string_view method, void** seen) {
    if (method != MHD_HTTP_METHOD_GET && method != MHD_HTTP_METHOD_HEAD) {
      return Refuse(connection,
                    {MHD_HTTP_METHOD_NOT_ALLOWED,
                     kPlain,
                     absl::StrCat(method, " is not offered; GET is\n"),
                     {{MHD_HTTP_HEADER_ALLOW, "GET, HEAD"}}});
    }
    if (path == "/livez") {
      return pages_.alive() ? Answer(connection, MHD_HTTP_OK, "ok\n")
                            : Answer(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                                     "gRPC takes no new connections\n");
    }
    if (path == "/readyz") return AnswerReady(connection);
    if (path == "/metrics") {
      return Answer(connection, MHD_HTTP_OK, Metrics(), kMetrics);
    }
    if (pages_.page != nullptr) return AskPage(connection, path, seen);
    return Refuse(connection,
                  {MHD_HTTP_NOT_FOUND, kPlain,
                   "no such page; there are /metrics, /livez and /readyz\n"});
  }

  // Making them takes far longer than answering a probe, so those who ask by
  // the hundred get the same ones.
  std::string Metrics() {
    const std::lock_guard<std::mutex> lock(metrics_mu_);
    const auto now = std::chrono::steady_clock::now();
    if (metrics_.empty() || now - metrics_made_ > kStillNew ||
        connections_.counts().open <= kFewAsk) {
      metrics_ = pages_.metrics();
      metrics_made_ = now;
    }
    return metrics_;
  }

  void HandOver(int fd, const transport::Peer& peer);

  const HttpPages pages_;
  std::mutex metrics_mu_;  // guards the next two
  std::string metrics_;
  std::chrono::steady_clock::time_point metrics_made_;
  const std::shared_ptr<HeldRequests> held_;
  bool only_here_ = false;  // listens to this machine alone
  // One peer may have all: probes and drips may come from one address.
  transport::ConnectionTable connections_{{kMaxConnections, kMaxConnections}};
  int port_ = 0;
  std::unique_ptr<HttpDaemon> plain_;
  std::unique_ptr<TlsDaemons> tls_;  // null: there are no certificates
  std::unique_ptr<transport::AcceptLoop> accept_loop_;
};

bool MayLeaveTheHost(const HttpOptions& options) {
  return options.network || options.certificates != nullptr;
}

absl::Status OfTheAddress(const absl::Status& status) {
  if (absl::IsPermissionDenied(status)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--http: ", status.message(),
                     "; --tls-cert and --tls-key encrypt the page"));
  }
  return absl::Status(status.code(),
                      absl::StrCat("--http: ", status.message()));
}

absl::Status RunningHttpServer::Listen(const std::string& address,
                                       const HttpOptions& options) {
  const bool encrypts = options.certificates != nullptr;
  absl::StatusOr<std::vector<transport::ListeningSocket>> listeners =
      transport::ListeningSocket::OnAddress(address, MayLeaveTheHost(options));
  if (!listeners.ok()) return OfTheAddress(listeners.status());
  port_ = listeners->front().port();
  const absl::StatusOr<ListenAddress> parsed = ParseListenAddress(address);
  if (!parsed.ok()) return parsed.status();
  only_here_ = IsLoopbackHost(parsed->host);
  // Those that were displaced may not be gone yet, hence the factor.
  const HttpCallbacks callbacks = {&OnRequest, &OnCompleted, this,
                                   kRequestSeconds, 2 * kMaxConnections};
  plain_ = HttpDaemon::Start(callbacks, nullptr);
  if (plain_ == nullptr) {
    return absl::UnavailableError("--http: no thread to answer can be started");
  }
  if (encrypts) {
    tls_ = std::make_unique<TlsDaemons>(callbacks, options.certificates);
    if (!tls_->Renew()) {
      return absl::InvalidArgumentError(
          "--http: GnuTLS does not take the certificate of --tls-cert with the "
          "key of --tls-key; one for RSA or P-256, in PEM, will do");
    }
  }
  const std::chrono::seconds limit(kRequestSeconds);
  absl::StatusOr<std::unique_ptr<transport::AcceptLoop>> loop =
      transport::AcceptLoop::Create(
          *std::move(listeners),
          {.what = "HTTP",
           .silence = limit,
           .lifetime = limit,
           .complete =
               [encrypts](absl::string_view sent) {
                 return (encrypts && sent[0] == kHandshake) ||
                        HasWholeHeader(sent);
               }},
          &connections_,
          [this](int fd, const transport::Peer& peer) { HandOver(fd, peer); });
  if (!loop.ok()) return loop.status();
  accept_loop_ = *std::move(loop);
  accept_loop_->Begin();
  return absl::OkStatus();
}

void RunningHttpServer::HandOver(int fd, const transport::Peer& peer) {
  connections_.HandOver(fd, peer.name);
  if (tls_ != nullptr && BeginsWithHandshake(fd)) {
    tls_->Add(fd);
  } else {
    plain_->Add(fd);
  }
}

}  // namespace

absl::Status HttpServer::CheckAddress(const std::string& address,
                                      const HttpOptions& options) {
  const absl::Status status =
      transport::ListeningSocket::PlacesOf(address, MayLeaveTheHost(options))
          .status();
  return status.ok() ? status : OfTheAddress(status);
}

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(
    const std::string& address, const HttpOptions& options, HttpPages pages) {
  auto server = std::make_unique<RunningHttpServer>(std::move(pages));
  absl::Status listening = server->Listen(address, options);
  if (!listening.ok()) return listening;
  return server;
}

}  // namespace inkstream::ops
