// The shared memory of one stream: a sealed memfd of equal slots, which are the
// buffers that batches are laid out in.
//
//   free --Acquire--> being filled --Lend--> the client's --Release--> free
//
// A slot that is out is never written; when none is free, Acquire says so. The
// area belongs to one stream: when that ends while a client still has views,
// the kernel keeps the pages for the client's own map.
//
// Ownership: buffers share the area. Thread safety: every method may be called
// from any thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/batch/job/buffer_pool.h"
#include "server/transport/shm/slot_layout.h"

namespace inkstream::transport {

class ShmArea : public batch::BufferPool,
                public std::enable_shared_from_this<ShmArea> {
 public:
  // `on_end` runs when the last user has gone and the memory is given back.
  static absl::StatusOr<std::shared_ptr<ShmArea>> Create(
      const SlotLayout& layout, std::function<void()> on_end);
  ~ShmArea() override;

  const SlotLayout& layout() const { return layout_; }
  // Stays the area's. Whoever gets it cannot write to the memory.
  int descriptor() const { return descriptor_; }

  // Of all slots; a buffer takes one.
  size_t budget() const override { return layout_.bytes(); }
  // A whole slot; of more than one, what they have together.
  size_t SizeOf(size_t bytes) const override {
    return std::max<size_t>(bytes, layout_.slot_bytes);
  }
  absl::StatusOr<std::unique_ptr<batch::Buffer>> Acquire(size_t bytes) override;

  // The batch is the client's until Release(). Answers its slot.
  uint32_t Lend(uint64_t sequence, std::shared_ptr<batch::Buffer> buffer);

  // INVALID_ARGUMENT: one of them is not lent.
  absl::Status Release(const std::vector<uint64_t>& sequences);

  // The stream has ended: nothing more comes back from the client.
  void Close();

  uint32_t lent() const;   // slots that the client has
  bool exhausted() const;  // no slot is free

 private:
  class SlotBuffer;

  ShmArea(const SlotLayout& layout, std::function<void()> on_end);
  absl::Status Map();
  void Return(uint32_t slot);

  const SlotLayout layout_;
  const std::function<void()> on_end_;
  int descriptor_ = -1;
  uint8_t* memory_ = nullptr;

  mutable std::mutex mu_;       // guards everything below
  std::vector<uint32_t> free_;  // the one that came back last at the end
  std::vector<bool> touched_;   // slots that have been used
  std::map<uint64_t, std::shared_ptr<batch::Buffer>> lent_;  // by sequence
};

}  // namespace inkstream::transport
