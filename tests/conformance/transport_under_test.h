// What the conformance suite needs of a transport: a server on an engine, and a
// target at which the client finds it.
//
// Thread safety: for the test's thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "inkstream/plan.h"
#include "server/batch/engine.h"

namespace inkstream::conformance {

class TransportUnderTest {
 public:
  virtual ~TransportUnderTest() = default;

  // `engine` outlives the transport.
  virtual absl::Status Start(batch::Engine* engine) = 0;
  virtual std::string target() const = 0;

  // Drains: every stream finishes its batch and ends with UNAVAILABLE, reason
  // DRAIN.
  virtual void Shutdown(std::chrono::milliseconds grace) = 0;
};

// One way over which the suite runs.
struct TransportParam {
  std::string name;  // of the test
  std::function<std::unique_ptr<TransportUnderTest>()> make;
  Codec codec = Codec::kNone;  // of every stream

  friend void PrintTo(const TransportParam& param, std::ostream* out) {
    *out << param.name;
  }
};

}  // namespace inkstream::conformance
