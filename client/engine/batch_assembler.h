// Puts the parts of a stream together into batches, and refuses whatever does
// not fit: order, lengths, tensor tables. Bytes are copied once, from where
// they were received to where the batch keeps them.
//
// Thread safety: for one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/engine/part_view.h"
#include "client/engine/received_batch.h"
#include "client/engine/rows_plan.h"

namespace inkstream::engine {

class BatchAssembler {
 public:
  // Memory for so many bytes of tensors, aligned to kTensorAlignment. Null:
  // there is none now, and they are kept as they come.
  using MemoryOf =
      std::function<absl::StatusOr<std::shared_ptr<uint8_t>>(uint64_t bytes)>;
  using OnBatch = std::function<absl::Status(ReceivedBatch batch)>;

  // No batch takes more than `most_bytes`, nor can one of what was asked for
  // take more than `asked_bytes`. `rows`: what may come as rows; null: nothing.
  BatchAssembler(MemoryOf memory_of, uint64_t most_bytes, uint64_t asked_bytes,
                 std::shared_ptr<const RowsPlan> rows)
      : memory_of_(std::move(memory_of)),
        most_bytes_(most_bytes),
        asked_bytes_(asked_bytes),
        rows_(std::move(rows)) {}

  // Gives the batches that `part` completes to `on_batch`; those before an
  // error, too. INTERNAL: it does not continue what came before.
  // RESOURCE_EXHAUSTED: a batch of more than `most_bytes`.
  absl::Status Add(const PartView& part, const OnBatch& on_batch);

  // True between the first and the last part of a batch.
  bool incomplete() const { return current_.has_value(); }
  // Batches that began.
  uint64_t begun() const { return next_sequence_; }

 private:
  struct Growing {
    ReceivedBatch batch;
    std::shared_ptr<uint8_t> bytes;  // the batch's
    uint64_t size = 0;               // of what is cut over parts
    uint64_t filled = 0;
    uint64_t parts = 0;

    void Append(const PartView& part, uint64_t begin, uint64_t bytes);
  };

  absl::Status Check(const v1::BatchHeader& header);
  absl::StatusOr<Growing> Begin(const v1::BatchHeader& header);
  absl::Status Complete(Growing growing, const OnBatch& on_batch);
  absl::Status AddFirst(const PartView& part, const OnBatch& on_batch);
  absl::Status AddLater(const PartView& part, const OnBatch& on_batch);

  const MemoryOf memory_of_;
  const uint64_t most_bytes_;
  const uint64_t asked_bytes_;
  const std::shared_ptr<const RowsPlan> rows_;
  uint64_t next_sequence_ = 0;
  std::optional<Growing> current_;
};

}  // namespace inkstream::engine
