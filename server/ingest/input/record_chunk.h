// A run of whole records of one input: what is parsed by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace inkstream::ingest {

struct DrawingFormat;

// A record longer than the limit: only its beginning was kept.
struct OverlongRecord {
  uint64_t line = 0;
  uint64_t offset = 0;  // in the decompressed input
  std::string beginning;
  std::string hint;  // what may have gone wrong; may be empty
};

// A record of a chunk whose format does not end records with lines.
struct RecordPlace {
  uint32_t begin = 0;  // in the chunk
  uint32_t end = 0;
  uint64_t line = 0;  // from 1, in the decompressed input
};

// Reused from chunk to chunk so that its memory is touched once.
class RecordChunk {
 public:
  // Records longer than this are skipped, never buffered.
  static constexpr size_t kMaxRecordBytes = size_t{1} << 20U;
  // Readable bytes behind the data, for parsers that read whole registers.
  static constexpr size_t kPadding = 64;
  static constexpr size_t kCapacity = kMaxRecordBytes + 1;

  RecordChunk() : bytes_(new char[kCapacity + kPadding]()) {}

  char* data() { return bytes_.get(); }
  absl::string_view text() const { return {bytes_.get(), size}; }

  size_t file = 0;      // place in the list of inputs
  uint64_t line = 1;    // of the first record
  uint64_t offset = 0;  // of the first byte, in the decompressed input
  size_t size = 0;
  std::optional<OverlongRecord> overlong;  // then size is 0
  const DrawingFormat* format = nullptr;   // of the input
  std::string word;    // of every record, where the format names it once
  std::string header;  // the input's first row, where it names the columns
  std::vector<RecordPlace> records;  // empty: a record a line

 private:
  std::unique_ptr<char[]> bytes_;
};

}  // namespace inkstream::ingest
