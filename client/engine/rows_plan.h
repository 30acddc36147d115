// What both sides of a stream of rows, or of a fetch, agreed on: how batches
// are laid out here, and what may come of them.
//
// Nothing is believed: what a batch may be is priced from the request, and all
// sizes are compared before anything is allocated by them.
//
// Thread safety: immutable after construction.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "inkstream/plan.h"
#include "inkstream/v1/service.pb.h"
#include "server/layout/layout_recipe.h"
#include "server/layout/rows_batch.h"
#include "server/rows/rows_form.h"

namespace inkstream::engine {

// What a request asks for, as far as it says what its batches are.
struct AskedBatches {
  DeliverySpec delivery;    // batch_size: rows of any of them, at most
  uint64_t seed = 0;        // of the augmentation
  uint32_t first_view = 0;  // number of the first of delivery.views copies
  bool one = false;         // there is one batch: of a fetch

  // The most that any of them takes. INVALID_ARGUMENT: nothing can be told of
  // what is asked for.
  absl::StatusOr<uint64_t> MostBytes() const;
};
// INVALID_ARGUMENT: the request has what this program does not know.
absl::StatusOr<AskedBatches> AskedBy(const v1::StreamBatchesRequest& opening);
absl::StatusOr<AskedBatches> AskedBy(const v1::FetchDrawingsRequest& request);

class RowsPlan {
 public:
  // `opened`: the answer to what was asked, whose codec is strokes. `whence`:
  // the server, for texts. `threads`: that draw. FAILED_PRECONDITION: the
  // server means rows to be drawn otherwise than this program does.
  // INVALID_ARGUMENT: there are tensors that cannot be drawn here.
  static absl::StatusOr<std::shared_ptr<const RowsPlan>> Create(
      const AskedBatches& asked, const v1::StreamOpened& opened,
      const std::string& whence, int threads);

  const layout::LayoutRecipe& recipe() const { return recipe_; }
  // The dataset and where it comes from, for texts.
  const std::string& whence() const { return whence_; }

  // What a batch takes once it is drawn, at most.
  uint64_t BatchBytes(const v1::BatchHeader& header) const {
    return recipe_.layout.Bytes(header.rows().count());
  }

  // Whether the header can be true. INTERNAL otherwise.
  absl::Status Check(const v1::BatchHeader& header) const;

  // The rows that header.wire_size() bytes are. UNAVAILABLE, reason BROKEN:
  // they are not what was sent. INTERNAL: they are no rows.
  // REQUIRES: Check() found nothing.
  absl::StatusOr<rows::RowsView> Parse(const v1::BatchHeader& header,
                                       absl::Span<const uint8_t> bytes) const;

  // Makes of a header of rows that of the batch they were drawn to, as if the
  // server had drawn it. `bad`: drawings of the stream that could not be read,
  // on both sides, so far; the server counts what it cannot read, and ends the
  // stream where that is too much. DATA_LOSS: there are too many now.
  absl::Status Describe(const layout::RowsBatch& batch, v1::BatchHeader* header,
                        uint64_t* bad) const;

 private:
  RowsPlan(layout::LayoutRecipe recipe, const DeliverySpec& delivery,
           std::string whence, const v1::StreamOpened& opened);

  rows::RowsShape ShapeOf(const v1::BatchHeader& header) const;

  const layout::LayoutRecipe recipe_;
  const uint32_t batch_size_;
  const uint64_t max_bad_;  // 0: no bound
  const std::string whence_;
  const v1::StreamOpened opened_;
};

}  // namespace inkstream::engine
