// Cuts text at line ends. Lines over RecordChunk::kMaxRecordBytes are skipped
// without being buffered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "server/ingest/formats/drawing_format.h"

namespace inkstream::ingest {

class LineCutter : public RecordCutter {
 public:
  // `offset`, `line`: of the input's line that the source begins with.
  explicit LineCutter(std::unique_ptr<ByteSource> source, uint64_t offset = 0,
                      uint64_t line = 1);

  // A UTF-8 byte order mark is skipped.
  absl::StatusOr<bool> Next(RecordChunk* chunk) override;

 private:
  absl::Status Fill(RecordChunk* chunk);
  absl::StatusOr<bool> SkipOverlong(RecordChunk* chunk);

  const std::unique_ptr<ByteSource> source_;
  std::string carry_;  // bytes behind the last cut
  bool ended_ = false;
  uint64_t line_;
  uint64_t offset_;
};

// Line ends in so many bytes.
uint64_t CountLineEnds(const char* bytes, size_t size);

}  // namespace inkstream::ingest
