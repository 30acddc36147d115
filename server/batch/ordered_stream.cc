#include "server/batch/ordered_stream.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/status_reason.h"
#include "server/batch/job/batch_job.h"

namespace inkstream::batch {

WaitTimes& WaitTimes::operator+=(const WaitTimes& other) {
  StageTimes::operator+=(other);
  client += other.client;
  memory += other.memory;
  queue += other.queue;
  return *this;
}

WaitTimes WaitTimes::operator-(const WaitTimes& earlier) const {
  WaitTimes since = {earlier * -1, -earlier.client, -earlier.memory,
                     -earlier.queue};
  return since += *this;
}

namespace {

// Batches whose blocks are asked for before they are laid out.
constexpr uint64_t kReadAhead = 3;
// A record in memory takes well under a microsecond, one from the fastest disk
// more than ten. Asking the kernel costs as much as reading from memory, so it
// is done only where reads are slow.
constexpr double kSlowReadSeconds = 4e-6;
// How fast what rows take follows the rows.
constexpr double kFollow = 0.25;

}  // namespace

OrderedStream::OrderedStream(OrderedStreamParts parts)
    : WorkSource(parts.caller, parts.recipe->store->path()),
      parts_(std::move(parts)),
      walker_(parts_.schedule.Walk()),
      ahead_(parts_.schedule.Walk()),
      memory_(parts_.memory),
      row_bytes_(RowsRoom::kUsualRowBytes),
      place_(parts_.start) {
  PickNextStep();
}

void OrderedStream::SetListener(std::function<void()> listener) {
  const std::lock_guard<std::mutex> lock(mu_);
  listener_ = std::move(listener);
}

absl::Status OrderedStream::Grant(uint32_t credits) {
  size_t pieces = 0;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (!failed_.ok()) return failed_;
    if (credits > parts_.max_credits - credits_) {
      return WithReason(absl::ResourceExhaustedError(absl::StrCat(
                            "credits: ", credits, " more with ", credits_,
                            " still open; at most ", parts_.max_credits,
                            " batches may be ahead (max_credits)")),
                        kReasonTooManyCredits);
    }
    credits_ += credits;
    pieces = StartBatches();
    TellClock();
  }
  parts_.workers->Add(shared_from_this(), pieces);
  return absl::OkStatus();
}

TakeResult OrderedStream::TryTake() {
  const std::lock_guard<std::mutex> lock(mu_);
  if (!WorthTaking()) {
    wake_up_ = true;
    return NotReady{};
  }
  if (!failed_.ok()) return failed_;
  if (const std::optional<Ended> end = EndLocked()) return *end;
  Slot& slot = *slots_.front();
  if (slot.ready.empty()) {
    failed_ = slot.job->status();
    return failed_;
  }
  FinishedBatch batch = std::move(slot.ready.front());
  slot.ready.pop_front();
  batch.queued_seconds = slot.queued_seconds;
  --slot.batches;
  if (slot.ready.empty() && slot.job->status().ok()) slots_.pop_front();
  bad_ += batch.bad;
  if (parts_.max_bad > 0 && bad_ > parts_.max_bad) {
    failed_ = absl::DataLossError(
        absl::StrCat(batch.damage.message(), "; with it ", bad_,
                     " damaged drawings since the stream was opened, more than "
                     "delivery.max_bad = ",
                     parts_.max_bad));
    return failed_;
  }
  if (--credits_ == 0) memory_->WantNothing();
  place_ = batch.after;
  TellClock();
  return batch;
}

std::optional<Ended> OrderedStream::end() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return EndLocked();
}

std::optional<Ended> OrderedStream::EndLocked() const {
  if (!failed_.ok() || !slots_.empty() || next_step_.has_value()) {
    return std::nullopt;
  }
  return Ended{parts_.max_batches > 0 && started_ >= parts_.max_batches
                   ? EndReason::kMaxBatches
                   : EndReason::kEpochsDone,
               place_};
}

void OrderedStream::Cancel() {
  std::deque<std::shared_ptr<Slot>> dropped;
  std::function<void()> listener;
  std::shared_ptr<MemoryAccount> memory;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (failed_.ok()) {
      failed_ = absl::CancelledError("the stream was cancelled");
    }
    dropped.swap(slots_);
    listener_.swap(listener);
    next_step_.reset();
    memory = memory_;
    TellClock();
  }
  memory->Close();
}

WaitTimes OrderedStream::wait_times() const {
  const std::lock_guard<std::mutex> lock(mu_);
  if (!slots_.empty()) clock_.Split(slots_.front()->job->stages());
  return clock_.times();
}

order::EpochPosition OrderedStream::place() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return place_;
}

uint32_t OrderedStream::credits() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return credits_;
}

void OrderedStream::RunPiece(WorkerScratch* scratch) {
  std::shared_ptr<Slot> slot;
  uint32_t piece = 0;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    for (const std::shared_ptr<Slot>& candidate : slots_) {
      if (candidate->next_piece == candidate->job->pieces()) continue;
      slot = candidate;
      piece = slot->next_piece++;
      if (piece == 0) {
        slot->queued_seconds =
            std::chrono::duration<double>(Clock::now() - slot->announced)
                .count();
      }
      ++slot->running;
      break;
    }
    TellClock();
  }
  if (slot == nullptr) return;
  const bool completed = slot->job->RunPiece(piece, scratch);

  std::function<void()> wake_up;
  std::vector<std::pair<RowSource, uint32_t>> ahead;
  size_t pieces = 0;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    --slot->running;
    // Who ran an earlier piece may get here after the one who completed it.
    if (completed) pieces = Finish(slot);
    if (!slots_.empty() && slots_.front() == slot) {
      clock_.Split(slot->job->stages());
    }
    TellClock();
    if (!completed) return;
    ahead = RowsToReadAhead();
    wake_up = TakeWakeUp();
  }
  parts_.workers->Add(shared_from_this(), pieces);
  if (wake_up != nullptr) wake_up();
  ReadAhead(ahead);
}

size_t OrderedStream::Finish(const std::shared_ptr<Slot>& slot) {
  slot->done = true;
  if (slot->dropped || !failed_.ok()) return 0;
  PieceJob& job = *slot->job;
  slow_store_ = job.store_seconds() >= kSlowReadSeconds * job.rows();
  std::vector<FinishedBatch> batches = job.Take();
  const StageTimes stages =
      job.stages() * (1.0 / std::max<size_t>(1, batches.size()));
  for (FinishedBatch& batch : batches) {
    batch.stages = stages;
    slot->ready.push_back(std::move(batch));
  }
  if (slot->rows == nullptr || !job.status().ok()) return 0;
  const double row_bytes = slot->rows->row_bytes();
  row_bytes_ =
      measured_ ? row_bytes_ + kFollow * (row_bytes - row_bytes_) : row_bytes;
  measured_ = true;
  return slot->ready.size() < slot->batches ? Rewind(slot) : StartBatches();
}

void OrderedStream::OnBuffer(absl::StatusOr<std::unique_ptr<Buffer>> buffer) {
  size_t pieces = 0;
  std::function<void()> wake_up;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    waits_for_memory_ = false;
    if (failed_.ok() && next_step_.has_value()) {
      if (buffer.ok()) {
        pieces = Start(*std::move(buffer));
        pieces += StartBatches();
      } else {
        failed_ = buffer.status();
      }
      wake_up = TakeWakeUp();
    }
    TellClock();
  }
  parts_.workers->Add(shared_from_this(), pieces);
  if (wake_up != nullptr) wake_up();
}

size_t OrderedStream::StartBatches() {
  size_t pieces = 0;
  while (next_step_.has_value() && Ahead() < credits_ && !waits_for_memory_) {
    // The first one tells how long drawings are.
    if (NextIsRows() && !measured_ && !slots_.empty()) break;
    const uint64_t bytes = NextBytes();
    if (bytes > memory_->largest()) memory_ = memory_->Larger(bytes);
    absl::StatusOr<std::unique_ptr<Buffer>> buffer =
        memory_->Acquire(bytes, shared_from_this());
    if (!buffer.ok()) {
      failed_ = buffer.status();
      break;
    }
    if (*buffer == nullptr) {
      waits_for_memory_ = true;
      break;
    }
    pieces += Start(*std::move(buffer));
  }
  return pieces;
}

// Nothing is begun where the buffer was for something else, as it may be that
// was waited for: what is next has become longer meanwhile, or was taken back.
size_t OrderedStream::Start(std::shared_ptr<Buffer> buffer) {
  if (Ahead() >= credits_) return 0;
  if (NextIsRows()) return StartRows(std::move(buffer));
  if (buffer->size() < NextBytes()) return 0;
  return StartBatch(std::move(buffer));
}

size_t OrderedStream::StartBatch(std::shared_ptr<Buffer> buffer) {
  const order::Step& step = *next_step_;
  FinishedBatch batch;
  batch.sequence = started_++;
  batch.epoch = step.epoch;
  batch.step = step.number;
  batch.after = step.after;
  batch.rows = step.rows;
  batch.buffer = std::move(buffer);
  auto slot = std::make_shared<Slot>();
  slot->job = std::make_unique<BatchJob>(parts_.recipe, RowsOf(step),
                                         std::move(batch), step.valid_rows);
  PickNextStep();
  return Add(std::move(slot));
}

size_t OrderedStream::Add(std::shared_ptr<Slot> slot) {
  room_.reset();
  slots_.push_back(std::move(slot));
  return slots_.back()->job->pieces();
}

uint32_t OrderedStream::Ahead() const {
  uint32_t batches = 0;
  for (const std::shared_ptr<Slot>& slot : slots_) batches += slot->batches;
  return batches;
}

void OrderedStream::PickNextStep() {
  next_step_.reset();
  if (parts_.max_batches > 0 && started_ >= parts_.max_batches) return;
  next_step_ = walker_.Next();
}

std::shared_ptr<const order::EpochOrder> OrderedStream::OrderOf(
    uint64_t epoch) {
  for (const auto& [of, order] : orders_) {
    if (of == epoch) return order;
  }
  absl::StatusOr<order::EpochOrder> made = order::EpochOrder::Create(
      parts_.order, parts_.recipe->sampled->mixture(), epoch);
  // The plan was checked with epoch 0, and no epoch differs from another in
  // what is allowed.
  if (!made.ok()) return nullptr;
  constexpr size_t kKept = 2;
  if (orders_.size() == kKept) orders_.pop_front();
  orders_.emplace_back(epoch, std::make_shared<const order::EpochOrder>(*made));
  return orders_.back().second;
}

RowSource OrderedStream::RowsOf(const order::Step& step) {
  return {{}, OrderOf(step.epoch), step.first};
}

bool OrderedStream::WorthTaking() const {
  if (!failed_.ok()) return true;
  if (slots_.empty()) return !next_step_.has_value();
  return slots_.front()->done;
}

void OrderedStream::TellClock() {
  using State = WaitClock::State;
  State state = State::kQueue;
  if (WorthTaking()) {
    state = State::kReady;
  } else if (credits_ == 0) {
    state = State::kClient;
  } else if (slots_.empty()) {
    state = waits_for_memory_ ? State::kMemory : State::kQueue;
  } else if (slots_.front()->running > 0) {
    state = State::kWork;
  }
  clock_.Enter(state);
}

std::vector<std::pair<RowSource, uint32_t>> OrderedStream::RowsToReadAhead() {
  std::vector<std::pair<RowSource, uint32_t>> steps;
  if (!slow_store_) return steps;
  const uint64_t wanted = started_ + kReadAhead;
  while (asked_ahead_ < wanted) {
    std::optional<order::Step> step = ahead_.Next();
    if (!step.has_value()) break;
    if (asked_ahead_++ >= started_) {
      steps.emplace_back(RowsOf(*step), step->rows);
    }
  }
  return steps;
}

std::function<void()> OrderedStream::TakeWakeUp() {
  if (!wake_up_ || !WorthTaking()) return nullptr;
  wake_up_ = false;
  return listener_;
}

void OrderedStream::ReadAhead(
    const std::vector<std::pair<RowSource, uint32_t>>& steps) {
  std::vector<int64_t> rows_of_step;
  std::vector<uint64_t> indices;
  for (const auto& [source, rows] : steps) {
    rows_of_step.resize(rows);
    source.Resolve(*parts_.recipe->sampled, 0, absl::MakeSpan(rows_of_step),
                   {});
    indices.insert(indices.end(), rows_of_step.begin(), rows_of_step.end());
  }
  if (!indices.empty()) parts_.recipe->store->WillNeed(indices);
}

}  // namespace inkstream::batch
