// How many streams are open, in all and of each caller.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "server/batch/work/caller_sums.h"

namespace inkstream::batch {

class StreamPlaces : public std::enable_shared_from_this<StreamPlaces> {
 public:
  // A stream's, until it is gone.
  using Place = std::shared_ptr<void>;

  explicit StreamPlaces(uint32_t limit) : sums_(limit) {}

  // RESOURCE_EXHAUSTED with reason TOO_MANY_STREAMS and a retry delay: there
  // is none, or none for this caller.
  absl::StatusOr<Place> Take(const std::string& caller);

  uint32_t taken() const;

 private:
  void Give(const std::string& caller);

  mutable std::mutex mu_;
  CallerSums sums_;  // by mu_
};

}  // namespace inkstream::batch
