// Page-aligned buffers for batches that gRPC sends as they are, used again
// last in, first out: memory that has been touched is cheap, fresh pages cost
// more than drawing into them.
//
// One pool a process, under one budget that counts buffers in use and kept. A
// buffer may come back long after its stream has gone: whenever the last slice
// of it has been sent.
//
// Thread safety: every method may be called from any thread. Buffers share
// ownership of the pool's memory: they may outlive the pool object.
#pragma once

#include <cstddef>
#include <memory>

#include "absl/status/statusor.h"
#include "server/batch/job/buffer_pool.h"

namespace inkstream::transport {

class GrpcBufferPool : public batch::BufferPool {
 public:
  explicit GrpcBufferPool(size_t budget_bytes);

  size_t budget() const override;
  size_t SizeOf(size_t bytes) const override;
  absl::StatusOr<std::unique_ptr<batch::Buffer>> Acquire(size_t bytes) override;

  size_t in_use() const;  // bytes of buffers that are lent

 private:
  class Memory;
  class LentBuffer;

  const std::shared_ptr<Memory> memory_;
};

}  // namespace inkstream::transport
