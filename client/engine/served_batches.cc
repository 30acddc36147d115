#include "client/engine/served_batches.h"

#include <algorithm>
#include <utility>

#include "server/raster/draw/rasterizer.h"

namespace inkstream::engine {

ServedBatches::ServedBatches(MemoryOf memory_of, OnBatch on_batch,
                             std::function<void()> changed,
                             std::shared_ptr<TurnPool> pool)
    : memory_of_(std::move(memory_of)),
      on_batch_(std::move(on_batch)),
      changed_(std::move(changed)),
      pool_(std::move(pool)),
      queue_(std::make_shared<DrawingQueue>(changed_)) {}

void ServedBatches::Begin(absl::StatusOr<AskedBatches> asked,
                          std::string whence, uint64_t most_bytes) {
  const std::lock_guard<std::mutex> feed_lock(feed_mu_);
  asked_ = std::move(asked);
  whence_ = std::move(whence);
  most_bytes_ = most_bytes;
  plan_ = nullptr;
  assembler_.reset();
  const std::lock_guard<std::mutex> lock(mu_);
  one_ = asked_.ok() && asked_->one;
  finished_ = false;
  end_.Clear();
  failed_ = absl::OkStatus();
}

absl::StatusOr<uint32_t> ServedBatches::Feed(
    absl::StatusOr<PartView>* message) {
  absl::StatusOr<uint32_t> whole =
      message->ok() ? Add(&**message)
                    : absl::StatusOr<uint32_t>(message->status());
  if (!whole.ok()) {
    const std::lock_guard<std::mutex> lock(mu_);
    if (failed_.ok()) failed_ = whole.status();
  }
  changed_();
  return whole;
}

void ServedBatches::Finish() {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    finished_ = true;
  }
  changed_();
}

absl::StatusOr<uint32_t> ServedBatches::Add(PartView* part) {
  const std::lock_guard<std::mutex> feed_lock(feed_mu_);
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (cancelled_) return absl::CancelledError("the stream was closed");
    if (!failed_.ok()) return failed_;
    if (finished_) return BrokenProtocol("a message after the end part");
  }
  if (part->opened.has_value()) {
    if (assembler_.has_value()) return BrokenProtocol("a second first part");
    absl::Status status = OnOpened(&*part->opened);
    if (!status.ok()) return status;
    return 0;
  }
  if (!assembler_.has_value()) {
    return BrokenProtocol("a batch before the first part");
  }
  if (part->end.has_value()) {
    if (assembler_->incomplete()) {
      return BrokenProtocol("the end within a batch");
    }
    const std::lock_guard<std::mutex> lock(mu_);
    finished_ = true;
    end_ = *part->end;
    return 0;
  }
  if (asked_.ok() && asked_->one && !part->batches.empty() &&
      (assembler_->begun() > 0 || part->batches.size() > 1)) {
    return BrokenProtocol("several batches for one fetch");
  }
  uint32_t whole = 0;
  absl::Status status = assembler_->Add(*part, [&](ReceivedBatch batch) {
    absl::Status kept = Keep(std::move(batch));
    if (kept.ok()) ++whole;
    return kept;
  });
  if (!status.ok()) return status;
  return whole;
}

absl::Status ServedBatches::OnOpened(v1::StreamOpened* opened) {
  if (opened->codec() == v1::CODEC_STROKES) {
    if (!asked_.ok()) return asked_.status();
    absl::StatusOr<std::shared_ptr<const RowsPlan>> plan =
        RowsPlan::Create(*asked_, *opened, whence_, pool_->threads());
    if (!plan.ok()) return plan.status();
    plan_ = *std::move(plan);
    // What replicas are compared by is the version of whoever draws.
    opened->set_raster_version(raster::kRasterVersion);
  }
  const absl::StatusOr<uint64_t> asked_bytes =
      asked_.ok() ? asked_->MostBytes() : asked_.status();
  assembler_.emplace([this](uint64_t bytes) { return MemoryNow(bytes); },
                     most_bytes_, asked_bytes.value_or(UINT64_MAX), plan_);
  return absl::OkStatus();
}

// Straight to where it will be read, unless others wait for memory.
absl::StatusOr<std::shared_ptr<uint8_t>> ServedBatches::MemoryNow(
    uint64_t bytes) {
  const std::lock_guard<std::mutex> lock(mu_);
  if (with_memory_ < batches_.size()) return nullptr;
  return memory_of_(bytes, /*ahead=*/0);
}

absl::Status ServedBatches::Keep(ReceivedBatch batch) {
  if (on_batch_ != nullptr) {
    absl::Status status = on_batch_(&batch);
    if (!status.ok()) return status;
  }
  const std::lock_guard<std::mutex> lock(mu_);
  if (cancelled_) return absl::CancelledError("the stream was closed");
  if (batch.bytes != nullptr) ++with_memory_;
  batches_.push_back({std::move(batch), plan_, nullptr, absl::OkStatus()});
  GiveMemory();
  return absl::OkStatus();
}

void ServedBatches::UseMemory() {
  const std::lock_guard<std::mutex> lock(mu_);
  GiveMemory();
}

void ServedBatches::GiveMemory() {
  size_t pieces = 0;
  for (; with_memory_ < batches_.size(); ++with_memory_) {
    Waiting& batch = batches_[with_memory_];
    absl::StatusOr<std::shared_ptr<uint8_t>> memory =
        batch.rows.has_value()
            ? memory_of_(batch.plan->BatchBytes(batch.header), with_memory_)
            : memory_of_(batch.kept.size(), /*ahead=*/0);
    if (!memory.ok()) {
      batch.no_memory = memory.status();
      continue;
    }
    if (*memory == nullptr) break;
    if (batch.rows.has_value()) {
      batch.work = std::make_shared<RowsWork>(
          batch.plan, std::move(batch.kept), *std::move(batch.rows),
          batch.header.epoch(), *std::move(memory));
      if (one_) continue;  // drawn by Take()
      pieces += batch.work->pieces();
      queue_->Add(batch.work);
    } else {
      std::copy(batch.kept.begin(), batch.kept.end(), memory->get());
      batch.kept = {};
      batch.bytes = *std::move(memory);
    }
  }
  if (pieces > 0) pool_->Add(queue_, pieces);
}

bool ServedBatches::empty() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return batches_.empty();
}

bool ServedBatches::ready() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return FirstIsReady();
}

bool ServedBatches::FirstIsReady() const {
  if (with_memory_ == 0) return false;
  const Waiting& first = batches_.front();
  return first.work == nullptr || first.work->done();
}

void ServedBatches::DrawHere() {
  std::shared_ptr<RowsWork> work;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (one_ && !batches_.empty()) work = batches_.front().work;
  }
  if (work != nullptr && !work->done()) DrawNow(std::move(work), pool_.get());
}

absl::StatusOr<ServedBatches::Taken> ServedBatches::Take() {
  DrawHere();
  std::optional<Waiting> batch;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (cancelled_) return absl::CancelledError("the stream was closed");
    if (batches_.empty()) {
      if (!failed_.ok()) return failed_;
      if (finished_) return end_;
    }
    if (!FirstIsReady()) return NothingYet{};
    batch = std::move(batches_.front());
    batches_.pop_front();
    --with_memory_;
    GiveMemory();
  }
  if (!batch->no_memory.ok()) return batch->no_memory;
  if (batch->work != nullptr) {
    RowsWork& work = *batch->work;
    if (!work.status().ok()) return work.status();
    if (batch->plan != bad_of_) bad_ = 0;
    bad_of_ = batch->plan;
    absl::Status status =
        batch->plan->Describe(work.batch(), &batch->header, &bad_);
    if (!status.ok()) return status;
    batch->bytes = work.TakeMemory();
  }
  return static_cast<ReceivedBatch&&>(*batch);
}

void ServedBatches::Drop() {
  std::deque<Waiting> dropped;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    cancelled_ = true;
    dropped.swap(batches_);
    with_memory_ = 0;
  }
  queue_->Drop();
  // Batches may have something to say as they go: not under the lock.
  dropped.clear();
  {
    const std::lock_guard<std::mutex> feed_lock(feed_mu_);
    assembler_.reset();
  }
  changed_();
}

}  // namespace inkstream::engine
