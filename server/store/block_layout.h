// The inside of a stroke block: header, one length a record, records, checksum.
//
// Thread safety: pure functions on bytes that outlive them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/store/endian_io.h"
#include "server/store/format.h"

namespace inkstream::store {

// kind u8, bytes of a length u8, records u16, first index u32. It is also the
// margin that the first record's decoder needs before it.
inline constexpr size_t kBlockHeader = 8;

// Bytes of each length in a block whose longest record is `longest` bytes.
constexpr int LengthBytes(uint32_t longest) {
  return longest < 256 ? 1 : longest < 65536 ? 2 : 4;
}

// The `slot`-th record of a block. `block` is the value without its checksum;
// `expected_first` and `expected_count` come from the block table, so that a
// block in the wrong place is noticed. DATA_LOSS otherwise.
inline absl::StatusOr<absl::string_view> RecordOfBlock(absl::string_view block,
                                                       uint32_t expected_first,
                                                       uint32_t expected_count,
                                                       uint32_t slot) {
  const char* const data = block.data();
  const uint32_t width =
      block.size() < kBlockHeader ? 0 : static_cast<uint8_t>(data[1]);
  if ((width != 1 && width != 2 && width != 4) ||
      data[0] != static_cast<char>(ValueKind::kStrokeBlock) ||
      LoadLittle<uint16_t>(data + 2) != expected_count ||
      LoadLittle<uint32_t>(data + 4) != expected_first ||
      kBlockHeader + uint64_t{expected_count} * width > block.size() ||
      slot >= expected_count) {
    return absl::DataLossError(absl::StrCat("the block at ", expected_first,
                                            " is not the expected one"));
  }
  const char* const lengths = data + kBlockHeader;
  uint64_t offset = kBlockHeader + uint64_t{expected_count} * width;
  uint64_t length = 0;
  if (width == 1) {
    for (uint32_t i = 0; i < slot; ++i) {
      offset += static_cast<uint8_t>(lengths[i]);
    }
    length = static_cast<uint8_t>(lengths[slot]);
  } else {
    for (uint32_t i = 0; i <= slot; ++i) {
      offset += length;
      length = width == 2 ? LoadLittle<uint16_t>(lengths + 2 * i)
                          : LoadLittle<uint32_t>(lengths + 4 * i);
    }
  }
  if (offset + length > block.size()) {
    return absl::DataLossError(absl::StrCat("the block at ", expected_first,
                                            " is shorter than its records"));
  }
  return block.substr(offset, length);
}

}  // namespace inkstream::store
