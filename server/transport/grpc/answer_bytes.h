// Bytes of answers of one message, from the moment they are made until their
// clients have taken them: a short request may have a long answer, which its
// client need not read.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <string>

#include "absl/status/status.h"

namespace inkstream::transport {

class AnswerBytes {
 public:
  explicit AnswerBytes(size_t most) : most_(most) {}

  // OK: an answer to `caller` may be sent, and is counted until GiveBack(). One
  // by itself always may. RESOURCE_EXHAUSTED with reason OVERLOADED: too many
  // are being sent, or, in all but an eighth, to this caller.
  absl::Status Take(const std::string& caller, size_t bytes);
  void GiveBack(const std::string& caller, size_t bytes);

 private:
  const size_t most_;
  std::mutex mu_;  // guards everything below
  size_t all_ = 0;
  std::map<std::string, size_t> callers_;  // with an answer
};

}  // namespace inkstream::transport
