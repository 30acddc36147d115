// Puts the parts of a stream together into batches, and refuses whatever does
// not fit: order, lengths, tensor tables. Bytes are copied once, from where
// gRPC received them to where the batch keeps them.
//
// Thread safety: for one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "client/cpp/batch/batch_buffers.h"
#include "client/cpp/batch/received_batch.h"
#include "client/cpp/batch/rows_reader.h"
#include "client/cpp/batch/shared_slots.h"
#include "client/cpp/call/part_parser.h"

namespace inkstream::client {

class BatchAssembler {
 public:
  BatchAssembler(BatchBuffers* buffers, uint64_t max_batch_bytes);

  // Appends the batches that `part` completes. INTERNAL: it does not continue
  // what came before. RESOURCE_EXHAUSTED: a batch above max_batch_bytes.
  absl::Status Add(BatchPartView part, std::vector<ReceivedBatch>* batches);

  // From now on batches may come as rows, which `rows` draws.
  void DrawRows(RowsReader* rows) { rows_ = rows; }

  // Batches of which only the headers came; their bytes lie in `slots`.
  absl::Status AddInSlots(const std::vector<v1::BatchHeader>& headers,
                          SharedSlots* slots,
                          std::vector<ReceivedBatch>* batches);

  // True between the first and the last part of a batch.
  bool incomplete() const { return current_.has_value(); }

 private:
  struct Growing {
    v1::BatchHeader header;
    std::shared_ptr<uint8_t> bytes;
    uint8_t* into = nullptr;  // where what comes goes: `bytes`, or the rows'
    uint64_t size = 0;        // of what comes
    uint64_t filled = 0;
    uint64_t parts = 0;
    uint64_t part_count = 0;
  };

  absl::Status Check(const v1::BatchHeader& header);
  absl::StatusOr<Growing> Begin(const v1::BatchHeader& header);
  absl::Status Complete(Growing growing, std::vector<ReceivedBatch>* batches);
  absl::Status AddFirst(const BatchPartView& part,
                        std::vector<ReceivedBatch>* batches);
  absl::Status AddLater(const BatchPartView& part,
                        std::vector<ReceivedBatch>* batches);

  BatchBuffers* buffers_;
  uint64_t max_batch_bytes_;
  RowsReader* rows_ = nullptr;
  std::vector<uint8_t> row_bytes_;  // of the batch that comes as rows
  uint64_t next_sequence_ = 0;
  std::optional<Growing> current_;
};

}  // namespace inkstream::client
