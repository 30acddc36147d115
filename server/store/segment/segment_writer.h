// Writes one segment: packs encoded units, in index order, into an LMDB file.
//
// Thread safety: one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/store/segment/block_writer.h"
#include "server/store/segment/lmdb_writer.h"
#include "server/store/segment/segment_header.h"
#include "server/store/writing/unit_encoder.h"

namespace inkstream::store {

struct FinishedSegment {
  SegmentHeader header;
  uint64_t bytes = 0;  // of the file
};

class SegmentWriter {
 public:
  // `first`: index of the segment's first drawing in the store.
  static absl::StatusOr<std::unique_ptr<SegmentWriter>> Create(
      const std::string& path, uint64_t first,
      std::shared_ptr<const StrokeModel> model);

  // Takes the unit's columns. REQUIRES: encoded with this segment's model.
  absl::Status Add(EncodedUnit* unit);
  // `folds`: of the fold runs that lie wholly in this segment, in order.
  absl::StatusOr<FinishedSegment> Finish(const std::vector<Digest>& folds);

  uint64_t drawings() const { return header_.drawings; }

 private:
  // Names by rank in the segment.
  struct Names {
    std::vector<std::string> names;
    absl::flat_hash_map<std::string, int64_t> ranks;
    // Turns ranks of a unit into those of the segment.
    void Translate(const std::vector<std::string>& unit_names,
                   std::vector<int64_t>* column);
  };

  absl::Status PutBlock(const Block& block);
  absl::Status PutColumns();

  std::unique_ptr<LmdbWriter> file_;
  std::shared_ptr<const StrokeModel> model_;
  SegmentHeader header_;
  Names words_;
  Names countrycodes_;
  Names splits_;
  BlockWriter blocks_;
  ColumnRunBuilder columns_;
  Sha256 content_;
};

}  // namespace inkstream::store
