// Packed batches -> their byte space, for one stream.
//
// Nothing is believed: what a batch may be is priced from the request, and all
// sizes are compared before anything is allocated by them.
//
// Thread safety: one object a thread.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "inkstream/v1/service.pb.h"
#include "server/transport/codec/chunk_codec.h"

namespace inkstream::client {

class BatchUnpacker {
 public:
  // Whether the batch's chunks make up its byte space. INTERNAL otherwise. The
  // tensor table was checked before.
  absl::Status Check(const v1::BatchHeader& header) const;

  // Where the batch's bytes from the wire go: wire_size of them, until the next
  // call.
  uint8_t* WireBytes(uint64_t wire_size);

  // Unpacks them into byte_size bytes at `out`. INTERNAL: they are not what the
  // header says. REQUIRES: Check() found nothing.
  absl::Status Unpack(const v1::BatchHeader& header, uint8_t* out);

 private:
  transport::ChunkDecompressor decompressor_;
  std::vector<uint8_t> wire_;
};

// The most that a batch of this stream can take by what was asked for, or
// `limit` where that is less or unknown.
uint64_t PlannedBatchBytes(const v1::StreamBatchesRequest& opening,
                           uint64_t limit);

}  // namespace inkstream::client
