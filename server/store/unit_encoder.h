// The part of writing that runs on many threads: drawings → records, columns
// and hashes, with nothing in them that depends on neighbouring units.
//
// Thread safety: pure function; plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "inkstream/drawing.h"
#include "server/store/column_codec.h"
#include "server/store/delta_sums.h"
#include "server/store/sha256.h"
#include "server/store/stroke_model.h"

namespace inkstream::store {

struct EncodedUnit {
  std::string records;  // one after another
  std::vector<uint32_t> lengths;
  std::vector<bool> raw;  // which records are of raw drawings
  // Words, countrycodes and splits are ranks in this unit's own lists.
  std::vector<ColumnValues> columns;
  std::vector<std::string> words;
  std::vector<std::string> countrycodes;
  std::vector<std::string> splits;
  std::vector<Digest> hashes;
  std::vector<uint64_t> split_hashes;
  std::vector<DeltaSums> deltas;
};

// REQUIRES: every drawing passed ValidateDrawing.
EncodedUnit EncodeUnit(const StrokeModel& model,
                       const std::vector<Drawing>& drawings);

}  // namespace inkstream::store
