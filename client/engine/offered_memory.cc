#include "client/engine/offered_memory.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "inkstream/tensor.h"

namespace inkstream::engine {

class OfferedMemory::Drawn : public batch::Buffer {
 public:
  Drawn(std::shared_ptr<OfferedMemory> memory, uint8_t* data)
      : memory_(std::move(memory)), data_(data) {}
  ~Drawn() override {
    {
      const std::lock_guard<std::mutex> lock(memory_->mu_);
      --memory_->in_use_;
    }
    memory_->let_go_.notify_all();
  }

  uint8_t* data() override { return data_; }
  size_t size() const override { return memory_->buffer_bytes_; }

 private:
  const std::shared_ptr<OfferedMemory> memory_;
  uint8_t* const data_;
};

absl::Status OfferedMemory::Offer(uint64_t token, void* memory, size_t size) {
  auto* const bytes = static_cast<uint8_t*>(memory);
  if (size < buffer_bytes_ ||
      reinterpret_cast<uintptr_t>(bytes) % kTensorAlignment != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "offered: ", size, " bytes at ", reinterpret_cast<uintptr_t>(bytes),
        "; a batch takes ", buffer_bytes_, ", aligned to ", kTensorAlignment));
  }
  const std::lock_guard<std::mutex> lock(mu_);
  if (closed_) return absl::CancelledError("the stream was closed");
  if (tokens_.size() >= most_) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "offered: memory for ", tokens_.size(),
        " batches is there already, and at most ", most_, " may be ahead"));
  }
  if (!tokens_.emplace(bytes, token).second) {
    return absl::InvalidArgumentError(
        "offered: the memory is the stream's already");
  }
  offered_.push_back(bytes);
  return absl::OkStatus();
}

uint64_t OfferedMemory::TakeBack(const uint8_t* memory) {
  const std::lock_guard<std::mutex> lock(mu_);
  const auto found = tokens_.find(memory);
  const uint64_t token = found->second;
  tokens_.erase(found);
  return token;
}

void OfferedMemory::Close() {
  std::unique_lock<std::mutex> lock(mu_);
  closed_ = true;
  offered_.clear();
  let_go_.wait(lock, [this] { return in_use_ == 0; });
}

absl::StatusOr<std::unique_ptr<batch::Buffer>> OfferedMemory::Acquire(
    size_t /*bytes*/) {
  const std::lock_guard<std::mutex> lock(mu_);
  if (closed_ || offered_.empty()) {
    return absl::CancelledError("no memory is offered to the stream");
  }
  uint8_t* const data = offered_.front();
  offered_.pop_front();
  ++in_use_;
  return std::make_unique<Drawn>(shared_from_this(), data);
}

}  // namespace inkstream::engine
