// The HTTP port of people and probes: GET /metrics, /livez, /readyz, and
// /readyz?verbose for each check by name.
//
// One thread waits for all connections at once, so that clients who drip their
// requests keep nobody out; a connection without progress is closed after
// kIdleSeconds, and there are kMaxConnections of them at most.
//
// Thread safety: Start and the destructor from one thread; the functions of
// HttpPages are called on the server's own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace inkstream::ops {

inline constexpr unsigned int kIdleSeconds = 10;
inline constexpr unsigned int kMaxConnections = 64;

// One thing that must be so for a server to take new streams.
struct ReadyCheck {
  std::string name;     // a word
  std::string problem;  // "": it is so
};

struct HttpPages {
  std::function<std::string()> metrics;  // Prometheus' text form
  std::function<std::vector<ReadyCheck>()> ready;
};

class HttpServer {
 public:
  // `host`: a name or an address, IPv6 in brackets; port 0: any free one.
  // UNAVAILABLE: cannot listen there.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(
      const std::string& host, int port, HttpPages pages);

  // Closes every connection.
  virtual ~HttpServer() = default;

  // As bound.
  virtual int port() const = 0;
};

}  // namespace inkstream::ops
