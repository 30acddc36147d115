#include "server/store/segment/block_table.h"

#include "absl/strings/str_cat.h"
#include "server/store/format.h"
#include "server/store/segment/block_layout.h"

namespace inkstream::store {
namespace {

constexpr int kSizeBits = 22;
static_assert(kMaxBlockBytes < (1 << kSizeBits));

}  // namespace

absl::Status BlockTable::Add(uint32_t first, absl::string_view block) {
  if (starts_.empty() ? first != 0 : first <= starts_.back()) {
    return absl::DataLossError(absl::StrCat(
        "block ", starts_.size(), " begins at ", first, ", out of order"));
  }
  if (block.size() <= kBlockHeader + kChecksumBytes ||
      block.size() > kMaxBlockBytes) {
    return absl::DataLossError(absl::StrCat(
        "the block at ", first, " has ", block.size(), " bytes, expected ",
        kBlockHeader + kChecksumBytes + 1, "..", kMaxBlockBytes));
  }
  starts_.push_back(first);
  const uint64_t offset = static_cast<uint64_t>(block.data() - base_);
  places_.push_back(offset << kSizeBits | block.size());
  return absl::OkStatus();
}

absl::Status BlockTable::Seal(uint64_t drawings) {
  if (starts_.empty() ? drawings != 0
                      : drawings <= starts_.back() || drawings > UINT32_MAX) {
    return absl::DataLossError(
        absl::StrCat("the blocks end at ", starts_.empty() ? 0 : starts_.back(),
                     ", expected ", drawings, " drawings"));
  }
  starts_.push_back(static_cast<uint32_t>(drawings));
  guesses_.reserve((drawings >> kGuessBits) + 1);
  uint32_t block = 0;
  for (uint64_t i = 0; i < drawings; i += 1U << kGuessBits) {
    while (starts_[block + 1] <= i) ++block;
    guesses_.push_back(block);
  }
  return absl::OkStatus();
}

BlockRef BlockTable::Find(uint32_t index) const {
  uint32_t block = guesses_[index >> kGuessBits];
  while (starts_[block + 1] <= index) ++block;
  return At(block);
}

BlockRef BlockTable::At(uint32_t id) const {
  const uint64_t place = places_[id];
  return {absl::string_view(base_ + (place >> kSizeBits),
                            place & ((1U << kSizeBits) - 1)),
          id, starts_[id], starts_[id + 1] - starts_[id]};
}

}  // namespace inkstream::store
