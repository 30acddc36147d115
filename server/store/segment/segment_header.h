// What a segment says about itself: the "header" table.
//
// Thread safety: plain value.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/store/writing/sha256.h"

namespace inkstream::store {

struct SegmentHeader {
  uint64_t format_version = 0;
  uint64_t drawings = 0;
  uint64_t blocks = 0;
  uint64_t column_runs = 0;
  // Index of the segment's first drawing in the store it was written for,
  // modulo kFoldRun: its folds hold for that alignment.
  uint64_t fold_phase = 0;
  // SHA-256 over the hashes of the segment's drawings: the MANIFEST has it too,
  // so that a segment of another store is noticed.
  Digest content{};

  std::string Serialize() const;
  static absl::StatusOr<SegmentHeader> Parse(absl::string_view raw);
};

}  // namespace inkstream::store
