#include "server/transport/grpc/grpc_buffer_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <list>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/huge_pages.h"

namespace inkstream::transport {
namespace {

constexpr size_t kPage = 4096;
// Smaller blocks are malloc's: the kernel has only so many maps a process.
constexpr size_t kLeastMapped = 64 << 10;

// Sizes are rounded so that batches of nearly the same size share buffers.
size_t RoundedSize(size_t bytes) {
  const size_t step = std::max(kPage, bytes / 16 / kPage * kPage);
  return (std::max<size_t>(bytes, 1) + step - 1) / step * step;
}

// Straight from the kernel, and back to it: malloc keeps what batches of many
// sizes free in its arenas, beyond any budget (measured with the sizes of the
// soak test: 120 MiB beside 50 in use). Null: there is none.
uint8_t* NewPages(size_t size) {
  if (size < kLeastMapped) {
    return static_cast<uint8_t*>(
        std::aligned_alloc(kPage, (size + kPage - 1) / kPage * kPage));
  }
  void* const pages = MapHugePages(size);
  return pages == MAP_FAILED ? nullptr : static_cast<uint8_t*>(pages);
}

void FreePages(uint8_t* data, size_t size) {
  if (size < kLeastMapped) {
    std::free(data);
  } else {
    munmap(data, size);
  }
}

}  // namespace

class GrpcBufferPool::Memory {
 public:
  explicit Memory(size_t budget) : budget_(budget) {}
  ~Memory() {
    for (const Block& block : kept_) FreePages(block.data, block.size);
  }

  // The rounding must not make a size unobtainable that fits the budget.
  size_t SizeOf(size_t bytes) const {
    return std::min(RoundedSize(bytes), std::max(bytes, budget_));
  }

  // Null: the budget is spent. `size` becomes the block's size.
  uint8_t* Take(size_t bytes, size_t* size) {
    const std::lock_guard<std::mutex> lock(mu_);
    *size = SizeOf(bytes);
    for (auto block = kept_.begin(); block != kept_.end(); ++block) {
      if (block->size != *size) continue;
      uint8_t* const data = block->data;
      kept_.erase(block);
      kept_bytes_ -= *size;
      in_use_ += *size;
      return data;
    }
    if (*size > budget_ - in_use_) return nullptr;
    while (kept_bytes_ > budget_ - in_use_ - *size) {
      kept_bytes_ -= kept_.back().size;
      FreePages(kept_.back().data, kept_.back().size);
      kept_.pop_back();
    }
    uint8_t* const data = NewPages(*size);
    if (data != nullptr) in_use_ += *size;
    return data;
  }

  void Give(uint8_t* data, size_t size) {
    const std::lock_guard<std::mutex> lock(mu_);
    in_use_ -= size;
    kept_bytes_ += size;
    kept_.push_front({data, size});
  }

  size_t budget() const { return budget_; }
  size_t in_use() const {
    const std::lock_guard<std::mutex> lock(mu_);
    return in_use_;
  }

 private:
  struct Block {
    uint8_t* data;
    size_t size;
  };

  const size_t budget_;
  mutable std::mutex mu_;  // guards everything below
  std::list<Block> kept_;  // last returned first
  size_t kept_bytes_ = 0;
  size_t in_use_ = 0;
};

class GrpcBufferPool::LentBuffer : public batch::Buffer {
 public:
  LentBuffer(std::shared_ptr<Memory> memory, uint8_t* data, size_t size)
      : memory_(std::move(memory)), data_(data), size_(size) {}
  ~LentBuffer() override { memory_->Give(data_, size_); }

  uint8_t* data() override { return data_; }
  size_t size() const override { return size_; }

 private:
  const std::shared_ptr<Memory> memory_;
  uint8_t* const data_;
  const size_t size_;
};

GrpcBufferPool::GrpcBufferPool(size_t budget_bytes)
    : memory_(std::make_shared<Memory>(budget_bytes)) {}

absl::StatusOr<std::unique_ptr<batch::Buffer>> GrpcBufferPool::Acquire(
    size_t bytes) {
  size_t size = 0;
  uint8_t* const data = memory_->Take(bytes, &size);
  if (data == nullptr) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a batch of ", bytes, " bytes does not fit beside the ",
                     in_use(), " in flight; the budget is ", budget()));
  }
  return std::make_unique<LentBuffer>(memory_, data, size);
}

size_t GrpcBufferPool::SizeOf(size_t bytes) const {
  return memory_->SizeOf(bytes);
}

size_t GrpcBufferPool::budget() const { return memory_->budget(); }
size_t GrpcBufferPool::in_use() const { return memory_->in_use(); }

}  // namespace inkstream::transport
