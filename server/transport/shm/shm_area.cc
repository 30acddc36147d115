#include "server/transport/shm/shm_area.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/transport/huge_pages.h"

namespace inkstream::transport {
namespace {

absl::Status Failed(const char* what) {
  return absl::ResourceExhaustedError(
      absl::StrCat("shared memory: ", what, ": ", std::strerror(errno)));
}

}  // namespace

class ShmArea::SlotBuffer : public batch::Buffer {
 public:
  SlotBuffer(std::shared_ptr<ShmArea> area, uint32_t slot)
      : area_(std::move(area)), slot_(slot) {}
  ~SlotBuffer() override { area_->Return(slot_); }

  uint8_t* data() override {
    return area_->memory_ + area_->layout_.OffsetOf(slot_);
  }
  size_t size() const override { return area_->layout_.slot_bytes; }

 private:
  const std::shared_ptr<ShmArea> area_;
  const uint32_t slot_;
};

absl::StatusOr<std::shared_ptr<ShmArea>> ShmArea::Create(
    const SlotLayout& layout, std::function<void()> on_end) {
  std::shared_ptr<ShmArea> area(new ShmArea(layout, std::move(on_end)));
  absl::Status mapped = area->Map();
  if (!mapped.ok()) return mapped;
  return area;
}

ShmArea::ShmArea(const SlotLayout& layout, std::function<void()> on_end)
    : layout_(layout), on_end_(std::move(on_end)), touched_(layout.slots) {
  for (uint32_t slot = layout.slots; slot-- > 0;) free_.push_back(slot);
}

ShmArea::~ShmArea() {
  if (memory_ != nullptr) munmap(memory_, layout_.bytes());
  if (descriptor_ >= 0) close(descriptor_);
  if (on_end_ != nullptr) on_end_();
}

absl::Status ShmArea::Map() {
  descriptor_ =
      memfd_create("inkstream-stream", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (descriptor_ < 0) return Failed("memfd_create");
  if (ftruncate(descriptor_, static_cast<off_t>(layout_.bytes())) != 0) {
    return Failed("ftruncate");
  }
  void* const memory =
      MapForHugePages(descriptor_, layout_.bytes(), PROT_READ | PROT_WRITE);
  if (memory == MAP_FAILED) return Failed("mmap");
  memory_ = static_cast<uint8_t*>(memory);
  // Behind the map above, which stays writable.
  if (fcntl(descriptor_, F_ADD_SEALS, kRequiredSeals) != 0) {
    return Failed("sealing");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<batch::Buffer>> ShmArea::Acquire(size_t bytes) {
  if (bytes > layout_.slot_bytes) {
    return absl::InternalError(absl::StrCat("a batch of ", bytes,
                                            " bytes does not fit a slot of ",
                                            layout_.slot_bytes));
  }
  uint32_t slot = 0;
  bool first_use = false;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (free_.empty()) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "all ", layout_.slots, " slots of the stream are in use"));
    }
    slot = free_.back();
    free_.pop_back();
    first_use = !touched_[slot];
    touched_[slot] = true;
  }
  if (first_use) {
    const size_t begin = layout_.OffsetOf(slot);
    TouchHugePages(memory_, layout_.bytes(), begin, begin + layout_.slot_bytes);
  }
  return std::make_unique<SlotBuffer>(shared_from_this(), slot);
}

uint32_t ShmArea::Lend(uint64_t sequence,
                       std::shared_ptr<batch::Buffer> buffer) {
  const auto slot = static_cast<uint32_t>(
      (buffer->data() - memory_ - layout_.OffsetOf(0)) / layout_.slot_bytes);
  const std::lock_guard<std::mutex> lock(mu_);
  lent_[sequence] = std::move(buffer);
  return slot;
}

absl::Status ShmArea::Release(const std::vector<uint64_t>& sequences) {
  // Declared first: buffers come back when the lock is gone.
  std::vector<std::shared_ptr<batch::Buffer>> back;
  const std::lock_guard<std::mutex> lock(mu_);
  for (const uint64_t sequence : sequences) {
    const auto found = lent_.find(sequence);
    if (found == lent_.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("released: batch ", sequence,
                       " is not lent: it was released before, or never sent"));
    }
    back.push_back(std::move(found->second));
    lent_.erase(found);
  }
  return absl::OkStatus();
}

void ShmArea::Close() {
  std::map<uint64_t, std::shared_ptr<batch::Buffer>> back;
  const std::lock_guard<std::mutex> lock(mu_);
  back.swap(lent_);
}

uint32_t ShmArea::lent() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return static_cast<uint32_t>(lent_.size());
}

bool ShmArea::exhausted() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return free_.empty();
}

void ShmArea::Return(uint32_t slot) {
  const std::lock_guard<std::mutex> lock(mu_);
  free_.push_back(slot);
}

}  // namespace inkstream::transport
