#include "tests/bench/transport/ready_engine.h"

#include <chrono>
#include <mutex>
#include <variant>

#include "tests/support/batch_puller.h"

namespace inkstream::bench {
namespace {

// One more holder of a batch's bytes.
class SharedPage : public batch::Buffer {
 public:
  explicit SharedPage(std::shared_ptr<batch::Buffer> page)
      : page_(std::move(page)) {}
  uint8_t* data() override { return page_->data(); }
  size_t size() const override { return page_->size(); }

 private:
  const std::shared_ptr<batch::Buffer> page_;
};

// The same batch under ever new numbers. Thread safety: as its base says.
class ReadyStream : public batch::BatchStream {
 public:
  ReadyStream(batch::StreamFacts facts, batch::FinishedBatch batch)
      : facts_(std::move(facts)),
        batch_(std::move(batch)),
        page_(std::move(batch_.buffer)) {}

  const batch::StreamFacts& facts() const override { return facts_; }
  // Granting is what makes a batch ready, and whoever grants looks.
  void SetListener(std::function<void()> /*listener*/) override {}

  absl::Status Grant(uint32_t credits) override {
    const std::lock_guard<std::mutex> lock(mu_);
    credits_ += credits;
    return absl::OkStatus();
  }

  batch::TakeResult TryTake() override {
    const std::lock_guard<std::mutex> lock(mu_);
    if (cancelled_) return absl::CancelledError("the stream was cancelled");
    if (credits_ == 0) return batch::NotReady();
    --credits_;
    batch::FinishedBatch batch;
    batch.sequence = sequence_++;
    batch.epoch = batch_.epoch;
    batch.step = batch_.step;
    batch.after = batch_.after;
    batch.tensors = batch_.tensors;
    batch.byte_size = batch_.byte_size;
    batch.rows = batch_.rows;
    batch.buffer = std::make_unique<SharedPage>(page_);
    return batch;
  }

  std::optional<batch::Ended> end() const override { return std::nullopt; }
  void Cancel() override {
    const std::lock_guard<std::mutex> lock(mu_);
    cancelled_ = true;
  }
  batch::WaitTimes wait_times() const override { return {}; }
  order::EpochPosition place() const override { return batch_.after; }
  uint32_t credits() const override {
    const std::lock_guard<std::mutex> lock(mu_);
    return credits_;
  }

 private:
  const batch::StreamFacts facts_;
  batch::FinishedBatch batch_;  // without its bytes
  const std::shared_ptr<batch::Buffer> page_;
  mutable std::mutex mu_;  // guards everything below
  uint64_t sequence_ = 0;
  uint32_t credits_ = 0;
  bool cancelled_ = false;
};

}  // namespace

absl::StatusOr<std::shared_ptr<batch::BatchStream>> ReadyEngine::OpenStreamFor(
    const std::string& caller, const Plan& plan, batch::MemoryArbiter* memory) {
  auto opened = Engine::OpenStreamFor(caller, plan, memory);
  if (!opened.ok()) return opened.status();
  batch::StreamFacts facts = (*opened)->facts();
  testing::BatchPuller stream(*std::move(opened));
  batch::TakeResult taken = stream.Next();
  auto* const batch = std::get_if<batch::FinishedBatch>(&taken);
  if (batch == nullptr) {
    return absl::UnimplementedError("ready batches: one that comes at once");
  }
  return std::make_unique<ReadyStream>(std::move(facts), std::move(*batch));
}

}  // namespace inkstream::bench
