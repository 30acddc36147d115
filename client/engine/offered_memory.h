// Memory of one stream that its user offers, a buffer a batch.
//
// Ownership: the memory stays the user's. Between Offer() and the end of the
// Buffer made of it, whoever draws may write to it.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/batch/job/buffer_pool.h"

namespace inkstream::engine {

class OfferedMemory : public batch::BufferPool,
                      public std::enable_shared_from_this<OfferedMemory> {
 public:
  // Buffers of `buffer_bytes`, at most `most` at once: who draws asks for no
  // more than are offered, so there is no budget beside.
  OfferedMemory(size_t buffer_bytes, size_t most)
      : buffer_bytes_(buffer_bytes), most_(most) {}

  // Before the first Offer(), where they were not known before.
  void SetBufferBytes(size_t bytes) { buffer_bytes_ = bytes; }

  // INVALID_ARGUMENT: too small or not aligned. RESOURCE_EXHAUSTED: there are
  // `most` already, drawn into or not.
  absl::Status Offer(uint64_t token, void* memory, size_t size);

  // The token of the memory that a batch was drawn into, which is the user's
  // again. Once for each buffer.
  uint64_t TakeBack(const uint8_t* memory);

  // Returns when there is no Buffer any more; none are made from now on.
  void Close();

  size_t buffer_bytes() const { return buffer_bytes_; }

  size_t budget() const override { return SIZE_MAX / 4; }
  size_t SizeOf(size_t bytes) const override { return bytes; }
  absl::StatusOr<std::unique_ptr<batch::Buffer>> Acquire(size_t bytes) override;

 private:
  class Drawn;

  size_t buffer_bytes_;
  const size_t most_;
  std::mutex mu_;  // guards everything below
  std::condition_variable let_go_;
  std::deque<uint8_t*> offered_;
  std::map<const uint8_t*, uint64_t> tokens_;  // of all that is the stream's
  size_t in_use_ = 0;                          // buffers
  bool closed_ = false;
};

}  // namespace inkstream::engine
