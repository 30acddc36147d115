#include "server/store/segment/block_writer.h"

#include <algorithm>
#include <utility>

#include "server/store/format.h"
#include "server/store/segment/block_layout.h"
#include "server/store/segment/checksum.h"
#include "server/store/segment/endian_io.h"

namespace inkstream::store {

bool BlockWriter::Add(absl::string_view record, bool raw) {
  const bool is_long = record.size() >= kLongRecord;
  const size_t size = kBlockHeader + lengths_.size() + 1 +
                      (longs_ + is_long) * kLongLengthBytes + records_.size() +
                      record.size() + kChecksumBytes;
  const size_t limit = raw ? kRawBlockBytes : kBlockBytes;
  const bool full = !lengths_.empty() && (size > limit || raw != raw_);
  if (full) Finish();
  raw_ = raw;
  longs_ += is_long;
  lengths_.push_back(static_cast<uint32_t>(record.size()));
  records_.append(record.data(), record.size());
  return full;
}

void BlockWriter::Finish() {
  finished_ = Block();
  finished_.first = first_;
  finished_.count = static_cast<uint32_t>(lengths_.size());
  std::string& bytes = finished_.bytes;
  bytes.reserve(kBlockBytes);
  const ValueKind kind = raw_ ? ValueKind::kRawBlock : ValueKind::kStrokeBlock;
  AppendLittle<uint8_t>(static_cast<uint8_t>(kind), &bytes);
  AppendLittle<uint8_t>(0, &bytes);
  AppendLittle<uint16_t>(static_cast<uint16_t>(lengths_.size()), &bytes);
  AppendLittle<uint32_t>(first_, &bytes);
  for (const uint32_t length : lengths_) {
    AppendLittle(static_cast<uint8_t>(std::min<uint32_t>(length, kLongRecord)),
                 &bytes);
  }
  for (const uint32_t length : lengths_) {
    if (length >= kLongRecord) AppendLittle(length, &bytes);
  }
  bytes += records_;
  AppendChecksum(&bytes);
  first_ += finished_.count;
  records_.clear();
  lengths_.clear();
  longs_ = 0;
}

Block BlockWriter::TakeBlock() { return std::exchange(finished_, Block()); }

Block BlockWriter::TakeRest() {
  if (lengths_.empty()) return Block();
  Finish();
  return TakeBlock();
}

}  // namespace inkstream::store
