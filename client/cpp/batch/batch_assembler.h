// Puts the parts of a stream together into batches, and refuses whatever does
// not fit: order, lengths, tensor tables. Bytes are copied once, from where
// gRPC received them to where the batch keeps them.
//
// Thread safety: for one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "client/cpp/batch/batch_buffers.h"
#include "client/cpp/batch/received_batch.h"
#include "client/cpp/batch/shared_slots.h"
#include "client/cpp/call/part_parser.h"
#include "client/engine/rows_plan.h"

namespace inkstream::client {

class BatchAssembler {
 public:
  BatchAssembler(BatchBuffers* buffers, uint64_t max_batch_bytes);

  // Appends the batches that `part` completes. INTERNAL: it does not continue
  // what came before. RESOURCE_EXHAUSTED: a batch above max_batch_bytes.
  absl::Status Add(BatchPartView part, std::vector<ReceivedBatch>* batches);

  // From now on batches may come as rows of that plan.
  void TakeRows(std::shared_ptr<const engine::RowsPlan> plan) {
    rows_ = std::move(plan);
  }

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
    std::vector<uint8_t> row_bytes;  // instead of them
    uint64_t size = 0;
    uint64_t filled = 0;
    uint64_t parts = 0;
    uint64_t part_count = 0;

    uint8_t* into() {
      return bytes != nullptr ? bytes.get() : row_bytes.data();
    }
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
  std::shared_ptr<const engine::RowsPlan> rows_;  // null: no rows may come
  uint64_t next_sequence_ = 0;
  std::optional<Growing> current_;
};

}  // namespace inkstream::client
