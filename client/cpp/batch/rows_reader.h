// Batches of one stream that came as rows -> their tensors, by the room that
// servers lay batches out with.
//
// Thread safety: one object a thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client/cpp/batch/batch_buffers.h"
#include "client/cpp/batch/received_batch.h"
#include "client/engine/rows_plan.h"
#include "inkstream/v1/service.pb.h"
#include "server/layout/drawing_tools.h"

namespace inkstream::client {

// Adds to a request what a server must know of a client that draws.
void SayWhoDraws(v1::StreamBatchesRequest* opening);

class RowsReader {
 public:
  // As engine::RowsPlan::Create().
  static absl::StatusOr<std::unique_ptr<RowsReader>> Create(
      const v1::StreamBatchesRequest& opening, const v1::StreamOpened& opened,
      const std::string& target);

  // Whether the header can be true. INTERNAL otherwise.
  absl::Status Check(const v1::BatchHeader& header) const {
    return plan_->Check(header);
  }

  // What the batch takes once it is drawn, at most.
  uint64_t BatchBytes(const v1::BatchHeader& header) const {
    return plan_->BatchBytes(header);
  }

  // The batch that `rows`, header.wire_size() bytes, stand for. UNAVAILABLE,
  // reason BROKEN: they are not what was sent. INTERNAL: they are not rows.
  // DATA_LOSS, INVALID_ARGUMENT: what the server would have said in drawing.
  // REQUIRES: Check() found nothing.
  absl::StatusOr<ReceivedBatch> Draw(const v1::BatchHeader& header,
                                     absl::Span<const uint8_t> rows,
                                     BatchBuffers* buffers);

 private:
  explicit RowsReader(std::shared_ptr<const engine::RowsPlan> plan);

  const std::shared_ptr<const engine::RowsPlan> plan_;
  layout::DrawingTools tools_;
  engine::DamageCount damage_;
};

}  // namespace inkstream::client
