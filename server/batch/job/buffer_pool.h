// Memory that batches are laid out in and that a transport can send as it is.
//
// `batch` owns the interface and each transport implements it, so that `batch`
// never includes a transport. Who may have how much of it is MemoryArbiter's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"

namespace inkstream::batch {

// One writable run of bytes, aligned to kTensorAlignment. Whoever holds the
// pointer owns the bytes; destroying it gives them back to their pool, from
// any thread, also after the stream they were made for has gone.
class Buffer {
 public:
  virtual ~Buffer() = default;
  virtual uint8_t* data() = 0;
  virtual size_t size() const = 0;  // at least what was asked for
};

// Thread safety: every method may be called from any thread.
class BufferPool {
 public:
  virtual ~BufferPool() = default;

  // Bytes of all buffers that are lent at once.
  virtual size_t budget() const = 0;

  // What a buffer for `bytes` takes of it; at most all, where `bytes` fit.
  virtual size_t SizeOf(size_t bytes) const = 0;

  // Never blocks. RESOURCE_EXHAUSTED: the budget is spent, or the machine has
  // no memory.
  virtual absl::StatusOr<std::unique_ptr<Buffer>> Acquire(size_t bytes) = 0;
};

}  // namespace inkstream::batch
