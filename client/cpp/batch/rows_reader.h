// Batches of one stream that came as rows -> their tensors, by the room that
// servers lay batches out with.
//
// Nothing is believed: what a batch may be is priced from the request, and all
// sizes are compared before anything is allocated by them.
//
// Thread safety: one object a thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client/cpp/batch/batch_buffers.h"
#include "client/cpp/batch/received_batch.h"
#include "inkstream/v1/service.pb.h"
#include "server/layout/rows_batch.h"

namespace inkstream::client {

// Adds to a request what a server must know of a client that draws.
void SayWhoDraws(v1::StreamBatchesRequest* opening);

class RowsReader {
 public:
  // `opening`, `opened`: the request that opened the stream, and the answer,
  // whose codec is strokes. `target`: for texts. FAILED_PRECONDITION: the
  // server means rows to be drawn otherwise than this client does.
  // INVALID_ARGUMENT: the request has tensors that cannot be drawn here.
  static absl::StatusOr<std::unique_ptr<RowsReader>> Create(
      const v1::StreamBatchesRequest& opening, const v1::StreamOpened& opened,
      const std::string& target);

  // Whether the header can be true. INTERNAL otherwise.
  absl::Status Check(const v1::BatchHeader& header) const;

  // What the batch takes once it is drawn, at most.
  uint64_t BatchBytes(const v1::BatchHeader& header) const {
    return recipe_.layout.Bytes(header.rows().count());
  }

  // The batch that `rows`, header.wire_size() bytes, stand for. UNAVAILABLE,
  // reason BROKEN: they are not what was sent. INTERNAL: they are not rows.
  // DATA_LOSS, INVALID_ARGUMENT: what the server would have said in drawing.
  // REQUIRES: Check() found nothing.
  absl::StatusOr<ReceivedBatch> Draw(const v1::BatchHeader& header,
                                     absl::Span<const uint8_t> rows,
                                     BatchBuffers* buffers);

 private:
  RowsReader(layout::LayoutRecipe recipe, uint32_t batch_size, uint64_t max_bad,
             std::string whence, const v1::StreamOpened& opened);

  rows::RowsShape ShapeOf(const v1::BatchHeader& header) const;
  absl::Status CountDamage(const layout::Damage& damage,
                           v1::BatchHeader* header);
  void Describe(const layout::BatchTensors& batch,
                v1::BatchHeader* header) const;

  const layout::LayoutRecipe recipe_;
  const uint32_t batch_size_;
  const uint64_t max_bad_;  // 0: no bound
  const std::string whence_;
  const v1::StreamOpened opened_;
  layout::DrawingTools tools_;
  uint64_t bad_ = 0;  // drawings of the stream so far, on both sides
};

}  // namespace inkstream::client
