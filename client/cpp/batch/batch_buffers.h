// Buffers that batches are gathered into, kept mapped and reused: memory that
// is touched for the first time costs about fifty times a copy.
//
// Ownership: a buffer may outlive its BatchBuffers; it then goes back to the
// system. Thread safety: every method may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"

namespace inkstream::client {

class BatchBuffers {
 public:
  // Keeps at most `kept` unused buffers.
  explicit BatchBuffers(size_t kept);

  // At least `size` bytes, aligned to kTensorAlignment. RESOURCE_EXHAUSTED:
  // the machine has no memory for it.
  absl::StatusOr<std::shared_ptr<uint8_t>> Acquire(size_t size);

 private:
  struct Shelf;
  std::shared_ptr<Shelf> shelf_;
};

}  // namespace inkstream::client
