// Cuts an input whose records end where only a scan of every byte tells (a
// row's end may stand inside quotes, a brace inside a string). A record is
// scanned once, whatever the reads give; one over
// RecordChunk::kMaxRecordBytes is skipped without being buffered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/ingest/formats/drawing_format.h"

namespace inkstream::ingest {

// Finds the end of one record after another.
class RecordScanner {
 public:
  // Where a record stands among the bytes that it was fed.
  struct Found {
    size_t begin = 0;  // of the record itself, without what leads up to it
    size_t end = 0;
    uint64_t line = 0;   // of `begin`
    bool blank = false;  // there is no record
  };

  virtual ~RecordScanner() = default;

  // Takes bytes up to the record's end at most; answers how many, and whether
  // the record ended. Then `found()` holds until the next call.
  virtual size_t Feed(absl::string_view bytes, bool* ended) = 0;
  // The input ended inside or before a record. An error says what is open.
  virtual absl::Status Finish() = 0;
  virtual const Found& found() const = 0;
  // What a person may have done when a record has no end; may be "".
  virtual absl::string_view hint() const = 0;
};

class ScanningCutter : public RecordCutter {
 public:
  ScanningCutter(std::unique_ptr<ByteSource> source, std::string name,
                 std::unique_ptr<RecordScanner> scanner);

  // A run has a record, or an overlong one.
  absl::StatusOr<bool> Next(RecordChunk* chunk) override;

 protected:
  const std::string& name() const { return name_; }

 private:
  // Some of whose runs have no records.
  absl::StatusOr<bool> Cut(RecordChunk* chunk);
  absl::Status Read(RecordChunk* chunk, size_t room);
  void Scan(RecordChunk* chunk);
  // The record that ended.
  void Note(RecordChunk* chunk) const;
  absl::StatusOr<bool> SkipOverlong(RecordChunk* chunk);
  absl::Status Finish();

  const std::unique_ptr<ByteSource> source_;
  const std::string name_;
  const std::unique_ptr<RecordScanner> scanner_;
  std::string carry_;    // bytes behind the last whole record
  size_t scanned_ = 0;   // of the chunk's bytes; of the carry between calls
  size_t whole_ = 0;     // bytes of the chunk's whole records
  bool ended_ = false;   // the source
  uint64_t offset_ = 0;  // of the chunk's or carry's first byte
};

}  // namespace inkstream::ingest
