// Bytes of answers of one message, from the moment they are made until their
// clients have taken them: a short request may have a long answer, which its
// client need not read.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "server/batch/work/caller_sums.h"

namespace inkstream::transport {

class AnswerBytes {
 public:
  explicit AnswerBytes(size_t most) : sums_(most) {}

  // OK: an answer to `caller` may be sent, and is counted until GiveBack(). One
  // by itself always may. RESOURCE_EXHAUSTED with reason OVERLOADED: too many
  // are being sent, or, in all but an eighth, to this caller.
  absl::Status Take(const std::string& caller, size_t bytes);
  void GiveBack(const std::string& caller, size_t bytes);

 private:
  std::mutex mu_;
  batch::CallerSums sums_;  // by mu_
};

}  // namespace inkstream::transport
