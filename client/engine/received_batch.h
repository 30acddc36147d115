// A whole batch as it came off the wire, before it is anybody's type.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "inkstream/v1/batch.pb.h"
#include "server/rows/rows_form.h"

namespace inkstream::engine {

struct ReceivedBatch {
  v1::BatchHeader header;  // its tensor table is checked: all lies in the bytes
  uint64_t wire_bytes = 0;  // that it came to in messages
  // Of tensors: header.byte_size() bytes, aligned to kTensorAlignment; null:
  // there was no memory yet.
  std::shared_ptr<const uint8_t> bytes;
  // Else, as they came: of tensors, or of rows, whose checksum is right.
  std::vector<uint8_t> kept;
  std::optional<rows::RowsView> rows;  // of `kept`, to be drawn
};

}  // namespace inkstream::engine
