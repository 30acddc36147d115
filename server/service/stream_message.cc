#include <string>

#include "server/raster/draw/rasterizer.h"
#include "server/service/service.h"
#include "server/wire/messages.h"

namespace inkstream::service {
namespace {

v1::StreamEnd::Reason ReasonOf(batch::EndReason reason) {
  switch (reason) {
    case batch::EndReason::kEpochsDone:
      return v1::StreamEnd::REASON_EPOCHS_DONE;
    case batch::EndReason::kMaxBatches:
      return v1::StreamEnd::REASON_MAX_BATCHES;
    case batch::EndReason::kRebalance:
      return v1::StreamEnd::REASON_REBALANCE;
  }
  return v1::StreamEnd::REASON_UNSPECIFIED;
}

}  // namespace

v1::StreamOpened OpenedOf(const batch::StreamFacts& facts) {
  v1::StreamOpened opened;
  opened.set_dataset(facts.dataset);
  wire::CursorToProto(facts.start, opened.mutable_cursor());
  opened.set_view_size(facts.view_size);
  opened.set_steps_per_epoch(facts.steps_per_epoch);
  opened.set_raster_version(raster::kRasterVersion);
  for (const std::string& word : facts.vocabulary) opened.add_vocabulary(word);
  for (const std::string& code : facts.countrycodes) {
    opened.add_countrycodes(code);
  }
  opened.set_refuses_unknown(true);
  if (facts.rows) opened.set_strokes_divisor(facts.strokes_divisor);
  return opened;
}

v1::BatchHeader HeaderOf(const batch::StreamFacts& facts,
                         const batch::FinishedBatch& batch) {
  v1::BatchHeader header;
  header.set_batch_seq(batch.sequence);
  v1::Cursor* const cursor = header.mutable_cursor();
  cursor->set_epoch(batch.after.epoch);
  cursor->set_position(batch.after.position);
  header.set_epoch(batch.epoch);
  header.set_step(batch.step);
  header.set_bad(batch.bad);
  if (batch.rows_form.has_value()) {
    header.set_wire_size(batch.wire_size);
    v1::Rows* const rows = header.mutable_rows();
    rows->set_count(batch.rows);
    rows->set_occurrences(batch.rows_form->occurrences);
    rows->set_checksum(batch.rows_form->checksum);
    return header;
  }
  cursor->set_version(facts.start.version);
  cursor->set_fingerprint(facts.start.fingerprint);
  cursor->set_plan_hash(facts.start.plan_hash);
  cursor->set_seed(facts.start.seed);
  for (const TensorInfo& info : batch.tensors) {
    v1::Tensor* const tensor = header.add_tensors();
    tensor->set_name(info.name);
    tensor->set_dtype(static_cast<v1::DType>(info.dtype));
    tensor->mutable_shape()->Add(info.shape.begin(), info.shape.end());
    tensor->set_offset(info.offset);
    tensor->set_length(info.length);
  }
  header.set_byte_size(batch.byte_size);
  return header;
}

v1::StreamEnd EndOf(const batch::StreamFacts& facts, const batch::Ended& end) {
  v1::StreamEnd message;
  Cursor cursor = facts.start;
  cursor.order_plan.clear();
  cursor.epoch = end.place.epoch;
  cursor.position = end.place.position;
  wire::CursorToProto(cursor, message.mutable_cursor());
  message.set_reason(ReasonOf(end.reason));
  return message;
}

}  // namespace inkstream::service
