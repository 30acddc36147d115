#include "server/order/window_shuffle.h"

#include <algorithm>

#include "server/order/keyed_mix.h"

namespace inkstream::order {
namespace {

constexpr uint64_t kSlotKey = 1;
constexpr uint64_t kWindowKey = 2;

// Fewer than this are too few to mix (256 runs), whatever the memory.
constexpr uint64_t kLeastWindow = 65'536;

}  // namespace

WindowShuffle::WindowShuffle(uint64_t size, uint64_t window, uint64_t seed,
                             uint64_t epoch)
    : size_(size),
      window_(std::min(window, size)),
      key_(Derive(Derive(seed, epoch), kWindowKey)),
      rest_(size % kChunk),
      rest_slot_(MultiplyHigh(Derive(Derive(seed, epoch), kSlotKey),
                              size / kChunk + 1)) {
  if (size >= kChunk) chunks_.emplace(size / kChunk, seed, epoch);
}

uint64_t WindowShuffle::RankAt(uint64_t position, Memo* memo) const {
  const uint64_t window = position / window_;
  const uint64_t begin = window * window_;
  if (memo->window != window) {
    memo->permutation.emplace(std::min(window_, size_ - begin), key_, window);
    memo->window = window;
  }
  return ByChunk(begin + (*memo->permutation)(position - begin));
}

uint64_t WindowShuffle::ByChunk(uint64_t place) const {
  // The chunk that is not whole is the last one by rank and stands at a place
  // of its own in each epoch; a tail that drops would always drop it otherwise.
  const uint64_t before = rest_slot_ * kChunk;
  if (place >= before) {
    if (place < before + rest_) return size_ - rest_ + (place - before);
    place -= rest_;
  }
  return (*chunks_)(place / kChunk) * kChunk + place % kChunk;
}

uint64_t RecommendedWindow(uint64_t drawings, uint64_t store_bytes,
                           uint64_t memory) {
  // Less than what batches and views leave to the page cache.
  if (memory == 0 || store_bytes <= memory / 5 * 2) return 0;
  const uint64_t bytes_a_drawing =
      store_bytes / std::max<uint64_t>(drawings, 1);
  const uint64_t fit = memory / 8 / std::max<uint64_t>(bytes_a_drawing, 1);
  const uint64_t chunks = std::max(fit, kLeastWindow) / WindowShuffle::kChunk;
  return std::min(chunks * WindowShuffle::kChunk, drawings);
}

}  // namespace inkstream::order
