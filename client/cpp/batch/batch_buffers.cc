#include "client/cpp/batch/batch_buffers.h"

#include <sys/mman.h>

#include <cstdlib>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "inkstream/tensor.h"
#include "server/base/huge_pages.h"

namespace inkstream::client {
namespace {

// Larger blocks come straight from the kernel and go back to it: malloc would
// keep what batches of many sizes leave between each other.
constexpr size_t kLeastMapped = 64 << 10;

struct Free {
  size_t size;
  void operator()(uint8_t* bytes) const {
    if (size < kLeastMapped) {
      std::free(bytes);
    } else {
      munmap(bytes, size);
    }
  }
};
using Block = std::unique_ptr<uint8_t, Free>;

size_t SizeOf(const Block& block) { return block.get_deleter().size; }

// Null: there is no memory.
Block NewBlock(size_t size) {
  void* memory = size < kLeastMapped
                     ? std::aligned_alloc(kTensorAlignment, size)
                     : MapHugePages(size);
  if (memory == MAP_FAILED) memory = nullptr;
  return {static_cast<uint8_t*>(memory), Free{size}};
}

}  // namespace

struct BatchBuffers::Shelf {
  const size_t kept;
  std::mutex mutex;  // guards everything below
  std::vector<Block> unused;

  explicit Shelf(size_t keep) : kept(keep) {}

  // The one that came back last: its pages are still in the caches.
  Block Take(size_t size) {
    const std::lock_guard<std::mutex> lock(mutex);
    for (size_t i = unused.size(); i-- > 0;) {
      if (SizeOf(unused[i]) >= size && SizeOf(unused[i]) / 2 <= size) {
        Block block = std::move(unused[i]);
        unused.erase(unused.begin() + static_cast<std::ptrdiff_t>(i));
        return block;
      }
    }
    return {nullptr, Free{0}};
  }

  void Return(Block block) {
    const std::lock_guard<std::mutex> lock(mutex);
    unused.push_back(std::move(block));
    if (unused.size() > kept) {
      unused.erase(unused.begin());
    }
  }
};

BatchBuffers::BatchBuffers(size_t kept)
    : shelf_(std::make_shared<Shelf>(kept)) {}

absl::StatusOr<std::shared_ptr<uint8_t>> BatchBuffers::Acquire(size_t size) {
  // aligned_alloc wants a multiple of the alignment, and not 0.
  const size_t rounded = (size / kTensorAlignment + 1) * kTensorAlignment;
  Block block = shelf_->Take(rounded);
  if (block == nullptr) block = NewBlock(rounded);
  if (block == nullptr) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no memory for a batch of ", size, " bytes"));
  }
  const Free free = block.get_deleter();
  return std::shared_ptr<uint8_t>(
      block.release(),
      [shelf = std::weak_ptr<Shelf>(shelf_), free](uint8_t* bytes) {
        Block back(bytes, free);
        if (const std::shared_ptr<Shelf> alive = shelf.lock()) {
          alive->Return(std::move(back));
        }
      });
}

}  // namespace inkstream::client
