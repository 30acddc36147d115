// Memory that batches are laid out in and that a transport can send as it is.
//
// `batch` owns the interface and each transport implements it, so that `batch`
// never includes a transport.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
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

// Thread safety: Acquire may be called from any thread.
class BufferPool {
 public:
  virtual ~BufferPool() = default;

  // Never blocks. RESOURCE_EXHAUSTED: the pool's budget is spent; worth another
  // try when a buffer has come back.
  virtual absl::StatusOr<std::unique_ptr<Buffer>> Acquire(size_t bytes) = 0;

  // Called, from any thread, whenever a buffer has come back. Set before the
  // first Acquire; the last one set counts.
  virtual void SetOnReturn(std::function<void()> callback) = 0;
};

}  // namespace inkstream::batch
