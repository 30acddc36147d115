// The part of writing that runs on many threads: drawings → records, columns
// and hashes, with nothing in them that depends on neighbouring units.
//
// Thread safety: pure function; plain values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "server/store/segment/column_codec.h"
#include "server/store/strokes/stroke_model.h"
#include "server/store/writing/delta_sums.h"
#include "server/store/writing/packed_drawings.h"
#include "server/store/writing/sha256.h"

namespace inkstream::store {

// Drawings begin .. end - 1 of those that came together.
struct UnitPart {
  std::shared_ptr<const PackedDrawings> drawings;
  size_t begin = 0;
  size_t end = 0;
};

struct EncodedUnit {
  std::string records;  // one after another
  std::vector<uint32_t> lengths;
  std::vector<uint8_t> raw;  // 1: the record is of a raw drawing
  // Words, countrycodes and splits are ranks in this unit's own lists.
  ColumnBatch columns;
  std::vector<std::string> words;
  std::vector<std::string> countrycodes;
  std::vector<std::string> splits;
  std::vector<Digest> hashes;
  std::vector<uint64_t> split_hashes;
  std::vector<DeltaSums> deltas;

  size_t size() const { return lengths.size(); }
};

EncodedUnit EncodeUnit(const StrokeModel& model,
                       const std::vector<UnitPart>& parts);

}  // namespace inkstream::store
