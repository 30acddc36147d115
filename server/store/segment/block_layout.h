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
#include "server/store/format.h"
#include "server/store/segment/endian_io.h"

namespace inkstream::store {

// kind u8, zero u8, records u16, first index u32. It is also the margin that
// the first record's decoder needs before it.
inline constexpr size_t kBlockHeader = 8;

// Then a byte a record: its length, or kLongRecord for one whose length is a
// u32 in the list that follows the bytes, in order.
inline constexpr uint8_t kLongRecord = 255;
inline constexpr size_t kLongLengthBytes = 4;

struct StoredRecord {
  absl::string_view bytes;
  bool raw = false;  // which codec reads it: raw_codec.h or record_codec.h
};

// The `slot`-th record of a block. `block` is the value without its checksum;
// `expected_first` and `expected_count` come from the block table, so that a
// block in the wrong place is noticed. DATA_LOSS otherwise.
inline absl::StatusOr<StoredRecord> RecordOfBlock(absl::string_view block,
                                                  uint32_t expected_first,
                                                  uint32_t expected_count,
                                                  uint32_t slot) {
  const uint8_t* const data = reinterpret_cast<const uint8_t*>(block.data());
  const bool raw =
      !block.empty() && data[0] == static_cast<uint8_t>(ValueKind::kRawBlock);
  if (block.size() < kBlockHeader + uint64_t{expected_count} ||
      (!raw && data[0] != static_cast<uint8_t>(ValueKind::kStrokeBlock)) ||
      LoadLittle<uint16_t>(data + 2) != expected_count ||
      LoadLittle<uint32_t>(data + 4) != expected_first ||
      slot >= expected_count) {
    return absl::DataLossError(absl::StrCat("the block at ", expected_first,
                                            " is not the expected one"));
  }
  const uint8_t* const lengths = data + kBlockHeader;
  uint64_t before = 0;
  uint32_t long_before = 0;
  uint32_t longs = 0;
  for (uint32_t i = 0; i < slot; ++i) {
    before += lengths[i];
    long_before += lengths[i] == kLongRecord;
  }
  for (uint32_t i = slot; i < expected_count; ++i) {
    longs += lengths[i] == kLongRecord;
  }
  longs += long_before;
  uint64_t offset =
      kBlockHeader + expected_count + uint64_t{longs} * kLongLengthBytes;
  uint64_t length = lengths[slot];
  if (longs > 0 && offset <= block.size()) {
    const uint8_t* const list = lengths + expected_count;
    for (uint32_t i = 0; i < long_before; ++i) {
      before += LoadLittle<uint32_t>(list + i * kLongLengthBytes) -
                uint64_t{kLongRecord};
    }
    if (length == kLongRecord) {
      length = LoadLittle<uint32_t>(list + long_before * kLongLengthBytes);
    }
  }
  offset += before;
  if (offset > block.size() || length > block.size() - offset) {
    return absl::DataLossError(absl::StrCat("the block at ", expected_first,
                                            " is shorter than its records"));
  }
  return StoredRecord{block.substr(offset, length), raw};
}

}  // namespace inkstream::store
