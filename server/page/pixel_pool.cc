#include "server/page/pixel_pool.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "inkstream/tensor.h"

namespace inkstream::page {

struct PixelPool::Lent {
  std::atomic<size_t> bytes{0};
};

PixelPool::PixelPool(size_t budget)
    : budget_(budget), lent_(std::make_shared<Lent>()) {}

size_t PixelPool::SizeOf(size_t bytes) const {
  return (std::max<size_t>(bytes, 1) + kTensorAlignment - 1) /
         kTensorAlignment * kTensorAlignment;
}

absl::StatusOr<std::unique_ptr<batch::Buffer>> PixelPool::Acquire(
    size_t bytes) {
  class HeapBuffer : public batch::Buffer {
   public:
    HeapBuffer(std::shared_ptr<Lent> lent, uint8_t* data, size_t size)
        : lent_(std::move(lent)), data_(data), size_(size) {}
    ~HeapBuffer() override {
      std::free(data_);
      lent_->bytes -= size_;
    }
    uint8_t* data() override { return data_; }
    size_t size() const override { return size_; }

   private:
    const std::shared_ptr<Lent> lent_;
    uint8_t* const data_;
    const size_t size_;
  };

  const size_t size = SizeOf(bytes);
  if (lent_->bytes.fetch_add(size) + size > budget_) {
    lent_->bytes -= size;
    return absl::ResourceExhaustedError("the memory of the page is spent");
  }
  void* const data = std::aligned_alloc(kTensorAlignment, size);
  if (data == nullptr) {
    lent_->bytes -= size;
    return absl::ResourceExhaustedError("the machine has no memory");
  }
  return std::make_unique<HeapBuffer>(lent_, static_cast<uint8_t*>(data), size);
}

}  // namespace inkstream::page
