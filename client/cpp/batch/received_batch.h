// A whole batch as it came off the wire, before it is anybody's type.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "inkstream/v1/batch.pb.h"
#include "server/rows/rows_form.h"

namespace inkstream::client {

struct ReceivedBatch {
  v1::BatchHeader header;  // its tensor table is checked: all lies in `bytes`
  // header.byte_size() bytes, aligned to kTensorAlignment.
  std::shared_ptr<const uint8_t> bytes;
  // Set: instead, rows of `row_bytes` whose checksum is right, to be drawn.
  std::optional<rows::RowsView> rows;
  std::vector<uint8_t> row_bytes;
};

}  // namespace inkstream::client
