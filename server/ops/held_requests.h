// Requests that others answer, while the HTTP server goes on with the rest:
//
//   held (its connection is suspended) -> answered -> being sent -> ended
//
// Both are bounded: how many there are until they have ended, and the bytes of
// their answers. Beyond that a request is answered 503 at once, so whoever asks
// for much, or reads nothing, costs the probes neither time nor memory.
//
// Thread safety: Hold(), Take() and End() from the HTTP server's thread;
// Answer() and Stop() from any.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "server/ops/http_exchange.h"

struct MHD_Connection;

namespace inkstream::ops {

struct HeldLimits {
  size_t requests = 64;
  size_t bytes = size_t{16} << 20U;  // of answers; one by itself always fits
};

class HeldRequests {
 public:
  class Request;

  explicit HeldRequests(const HeldLimits& limits) : limits_(limits) {}

  // Suspends the connection. Null: there are too many, or it stops.
  std::shared_ptr<Request> Hold(MHD_Connection* connection);

  // Resumes the connection. The first answer counts; none does behind End().
  void Answer(const std::shared_ptr<Request>& request, HttpAnswer answer);

  // Once the connection was resumed. The bytes stay valid until End().
  static const HttpAnswer& Take(const Request& request);

  // The connection is done with it.
  void End(const std::shared_ptr<Request>& request);

  // Answers 503 to those that are held, and holds none from now on.
  void Stop();

 private:
  void Resume(Request* request, HttpAnswer answer);  // with mu_ held

  const HeldLimits limits_;
  std::mutex mu_;  // guards everything below, and the requests
  std::set<std::shared_ptr<Request>> requests_;
  size_t bytes_ = 0;
  bool stopped_ = false;
};

// For whoever may come again in a second.
HttpAnswer BusyAnswer(std::string why);

}  // namespace inkstream::ops
