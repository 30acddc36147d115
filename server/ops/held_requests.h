// Requests that others answer, while the HTTP server goes on with the rest:
//
//   held (its connection is suspended) -> answered -> being sent -> ended
//
// Both are bounded, in all and for each caller: how many there are until they
// have ended, and the bytes of their answers. Beyond that a request is answered
// 503 at once, so whoever asks for much, or reads nothing, costs the probes
// neither time nor memory, and others not their answers.
//
// Thread safety: Hold(), Take() and End() from the HTTP server's thread;
// Answer() and Stop() from any.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "server/batch/work/caller_sums.h"
#include "server/ops/http_exchange.h"

struct MHD_Connection;

namespace inkstream::ops {

struct HeldLimits {
  size_t requests = 64;
  size_t bytes = size_t{16} << 20U;  // of answers; one by itself always fits
  // That a request may wait for its answer while others want its place.
  std::chrono::milliseconds patience = std::chrono::seconds(5);
};

class HeldRequests {
 public:
  class Request;

  explicit HeldRequests(const HeldLimits& limits)
      : patience_(limits.patience),
        counts_(limits.requests),
        bytes_(limits.bytes) {}

  // Suspends the connection of `caller`. Null: there are too many, or it stops.
  std::shared_ptr<Request> Hold(MHD_Connection* connection,
                                const std::string& caller);

  // Resumes the connection. The first answer counts; none does behind End().
  void Answer(const std::shared_ptr<Request>& request, HttpAnswer answer);

  // Once the connection was resumed. The bytes stay valid until End().
  static const HttpAnswer& Take(const Request& request);

  // The connection is done with it.
  void End(const std::shared_ptr<Request>& request);

  // Answers 503 to those that are held, and holds none from now on.
  void Stop();

 private:
  // Both with mu_ held.
  void Resume(Request* request, HttpAnswer answer);
  void GiveUpLate();

  const std::chrono::milliseconds patience_;
  std::mutex mu_;  // guards everything below, and the requests
  std::set<std::shared_ptr<Request>> requests_;
  batch::CallerSums counts_;  // of requests_
  batch::CallerSums bytes_;   // of their answers
  bool stopped_ = false;
};

// For whoever may come again in a second.
HttpAnswer BusyAnswer(std::string why);

}  // namespace inkstream::ops
