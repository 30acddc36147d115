// A whole batch as it came off the wire, before it is anybody's type.
#pragma once

#include <cstdint>
#include <memory>

#include "inkstream/v1/batch.pb.h"

namespace inkstream::client {

struct ReceivedBatch {
  v1::BatchHeader header;  // its tensor table is checked: all lies in `bytes`
  // header.byte_size() bytes, aligned to kTensorAlignment.
  std::shared_ptr<const uint8_t> bytes;
};

}  // namespace inkstream::client
