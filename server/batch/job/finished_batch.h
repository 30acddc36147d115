// A batch that is ready to be sent.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "inkstream/tensor.h"
#include "server/batch/job/buffer_pool.h"
#include "server/batch/job/stage_times.h"
#include "server/order/step_schedule.h"

namespace inkstream::batch {

struct RowsForm {
  bool occurrences = false;
  uint64_t checksum = 0;
};

struct FinishedBatch {
  uint64_t sequence = 0;  // 0, 1, ... within the stream
  uint64_t epoch = 0;
  uint64_t step = 0;
  order::EpochPosition after;  // the cursor after this batch
  std::vector<TensorInfo> tensors;
  uint64_t byte_size = 0;
  uint32_t bad = 0;  // rows replaced because their record is damaged
  uint32_t rows = 0;
  absl::Status damage;             // of the first of them, what it said
  std::shared_ptr<Buffer> buffer;  // of this batch, or of several
  uint64_t offset = 0;             // in it
  // Set: what travels are rows, `wire_size` bytes of them; `byte_size` is what
  // whoever draws them makes of them, at most, and there are no tensors.
  std::optional<RowsForm> rows_form;
  uint64_t wire_size = 0;

  double queued_seconds = 0;  // until a worker began
  StageTimes stages;          // what workers spent on it

  // Bytes of the buffer that travel.
  uint64_t wire_bytes() const {
    return rows_form.has_value() ? wire_size : byte_size;
  }
};

}  // namespace inkstream::batch
