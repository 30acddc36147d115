#include "client/engine/local_batches.h"

#include <utility>

#include "server/service/service.h"
#include "server/wire/messages.h"

namespace inkstream::engine {

absl::StatusOr<std::shared_ptr<LocalBatches>> LocalBatches::Open(
    std::shared_ptr<void> owner, batch::Engine* engine, uint64_t id,
    const v1::StreamBatchesRequest& request) {
  absl::StatusOr<Plan> plan = wire::PlanFromProto(request);
  if (!plan.ok()) return plan.status();
  plan->delivery.codec = Codec::kNone;  // nothing travels
  const uint32_t most_ahead = engine->options().limits.max_credits;
  const std::shared_ptr<LocalBatches> local(
      new LocalBatches(std::move(owner), most_ahead));
  absl::StatusOr<std::shared_ptr<batch::BatchStream>> stream =
      engine->OpenStream(*plan, engine->Arbitrate(local->memory_));
  if (!stream.ok()) return stream.status();
  local->stream_ = *std::move(stream);
  local->stream_->SetListener([signal = local->signal_] { signal->Set(); });
  const batch::StreamFacts& facts = local->stream_->facts();
  local->memory_->SetBufferBytes(facts.batch_bytes);
  v1::StreamOpened opened = service::OpenedOf(facts);
  opened.set_credit_window(most_ahead);
  opened.set_stream_id(id);
  local->opened_ = opened.SerializeAsString();
  v1::StreamStatus& status = local->status_;
  status.set_id(id);
  status.set_dataset(facts.dataset);
  status.set_fingerprint(facts.start.fingerprint);
  status.set_plan_hash(facts.start.plan_hash);
  status.set_rank(plan->delivery.rank);
  status.set_world(plan->delivery.world);
  status.set_step_offset(plan->delivery.step_offset);
  status.set_step_stride(plan->delivery.step_stride);
  return local;
}

absl::Status LocalBatches::Offer(uint64_t token, void* memory, size_t size) {
  absl::Status status = memory_->Offer(token, memory, size);
  // What a stream has failed with is for whoever takes its batches, behind
  // those that were finished before.
  if (status.ok()) stream_->Grant(1).IgnoreError();
  return status;
}

absl::StatusOr<NextResult> LocalBatches::TryNext() {
  batch::TakeResult taken = stream_->TryTake();
  if (auto* batch = std::get_if<batch::FinishedBatch>(&taken)) {
    batches_.fetch_add(1);
    drawings_.fetch_add(batch->rows);
    bytes_.fetch_add(batch->byte_size);
    return Drawn(stream_->facts(), std::move(*batch));
  }
  if (const auto* ended = std::get_if<batch::Ended>(&taken)) {
    return NextResult{
        {.kind = IK_END},
        service::EndOf(stream_->facts(), *ended).SerializeAsString()};
  }
  if (auto* status = std::get_if<absl::Status>(&taken)) {
    return std::move(*status);
  }
  return NextResult{};
}

void LocalBatches::End() {
  // Null: it was never open.
  if (stream_ != nullptr) stream_->Cancel();
  memory_->Close();
  signal_->Set();
}

v1::StreamStatus LocalBatches::Report() const {
  const batch::WaitTimes waited = stream_->wait_times();
  const order::EpochPosition place = stream_->place();
  v1::StreamStatus status = status_;
  status.set_epoch(place.epoch);
  status.set_position(place.position);
  status.set_batches(batches_.load());
  status.set_drawings(drawings_.load());
  status.set_bytes(bytes_.load());
  status.set_wire_bytes(0);
  status.set_seconds(
      std::chrono::duration<double>(std::chrono::steady_clock::now() - since_)
          .count());
  status.set_wait_client(waited.client);
  status.set_wait_workers(waited.workers());
  status.set_wait_store(waited.disk);
  status.set_wait_memory(waited.memory);
  status.set_wait_queue(waited.queue);
  status.set_wait_decode(waited.decode);
  status.set_wait_draw(waited.draw);
  status.set_credits(stream_->credits());
  return status;
}

}  // namespace inkstream::engine
