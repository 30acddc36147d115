// The HTTP port of people and probes: GET /metrics, /livez, /readyz, and
// /readyz?verbose for each check by name; any other path is the page's.
//
// Probes wait for nothing: what the page is asked for others answer (see
// held_requests.h), and metrics are made once a second at most where many ask.
// Where only this machine is listened to, the page wants a Host that says so: a
// name of a stranger's that leads here is a web page's way around what browsers
// forbid it.
//
// With certificates the port speaks both, and tells them apart by a
// connection's first byte: whoever probes or scrapes needs no certificate, and
// gets nothing that is not told to everybody; the page is for those who come by
// TLS, but on this machine.
//
// A request has kRequestSeconds to come in whole, and as long again to be
// answered; each connection carries one. Whoever drips a request holds nothing
// but a descriptor: over kMaxConnections the oldest one makes room, so a
// request that comes at once is answered whatever others do.
//
// Thread safety: Start and the destructor from one thread; the functions of
// HttpPages are called on the server's own.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/ops/http_daemon.h"
#include "server/ops/http_exchange.h"

namespace inkstream::ops {

inline constexpr unsigned int kRequestSeconds = 5;
inline constexpr unsigned int kMaxConnections = 512;

// One thing that must be so for a server to take new streams.
struct ReadyCheck {
  std::string name;     // a word
  std::string problem;  // "": it is so
};

struct HttpPages {
  std::function<std::string()> metrics;  // Prometheus' text form
  std::function<bool()> alive;           // not beyond help
  std::function<std::vector<ReadyCheck>()> ready;
  HttpHandler page = nullptr;             // null: there is none
  size_t page_bytes = size_t{16} << 20U;  // of its answers that are being sent
  // Told the code of each answer that is neither a probe's nor of metrics; what
  // leads elsewhere is none. Null: nobody counts.
  std::function<void(unsigned int code)> answered = nullptr;
};

struct HttpOptions {
  bool network = false;  // plaintext may be offered to other machines
  CertificatesInUse certificates = nullptr;  // null: no TLS
};

class HttpServer {
 public:
  // `address`: HOST:PORT, IPv6 in brackets, port 0: any free one; one that
  // other machines reach, where `options` have a reason. INVALID_ARGUMENT,
  // UNAVAILABLE: cannot listen there, or with these certificates.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(
      const std::string& address, const HttpOptions& options, HttpPages pages);

  // What would refuse `address`, before a socket is opened.
  static absl::Status CheckAddress(const std::string& address,
                                   const HttpOptions& options);

  // Closes every connection.
  virtual ~HttpServer() = default;

  // As bound.
  virtual int port() const = 0;
};

}  // namespace inkstream::ops
