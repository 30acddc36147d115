// One session against a sink that notes what it is told; time is an argument.
#include "server/transport/stream_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "server/base/status_reason.h"
#include "server/batch/engine.h"
#include "server/transport/status/duplicate_streams.h"
#include "tests/support/fake_store.h"
#include "tests/support/heap_buffer_pool.h"

namespace inkstream::transport {
namespace {

using ::testing::HasSubstr;

// Takes a write only when told to.
class NotingSink : public BatchSink {
 public:
  absl::StatusOr<bool> WriteOpened(const batch::StreamFacts&) override {
    return Note([this] { opened_ = true; });
  }
  absl::StatusOr<bool> Write(
      std::vector<batch::FinishedBatch> batches) override {
    return Note([&] { batches_ += batches.size(); });
  }
  void Finish(const batch::Ended& end) override {
    Note([&] { end_ = end; }).IgnoreError();
  }
  void Finish(const absl::Status& status) override {
    Note([&] { error_ = status; }).IgnoreError();
  }
  void Abort(const absl::Status& status) override {
    Note([&] { aborted_ = status; }).IgnoreError();
  }
  const UnreadBytes* unread() const override { return &unread_; }

  // Waits until something more has been written or the stream has ended.
  void AwaitCall(size_t calls) {
    std::unique_lock<std::mutex> lock(mu_);
    changed_.wait(lock, [&] { return calls_ >= calls; });
  }

  std::mutex mu_;
  std::condition_variable changed_;
  size_t calls_ = 0;
  bool opened_ = false;
  size_t batches_ = 0;
  std::optional<batch::Ended> end_;
  absl::Status error_;
  absl::Status aborted_;
  UnreadBytes unread_;

 private:
  template <typename Change>
  absl::StatusOr<bool> Note(const Change& change) {
    const std::lock_guard<std::mutex> lock(mu_);
    change();
    ++calls_;
    changed_.notify_all();
    return true;
  }
};

class StreamSessionTest : public ::testing::Test {
 protected:
  StreamSessionTest() {
    batch::EngineOptions options;
    options.workers = 2;
    options.batch_memory = 64U << 20U;
    engine_ = *batch::Engine::Create(options);
    EXPECT_TRUE(
        engine_->AddDataset("fake", std::make_shared<testing::FakeStore>(1000))
            .ok());
    memory_ = engine_->Arbitrate(std::make_shared<testing::HeapBufferPool>());
    session_ = std::make_shared<StreamSession>(&sink_, Peer{"test", "tests"});
  }
  ~StreamSessionTest() override {
    session_->Detach();
    engine_->Stop();
  }

  void Open(uint32_t credits, uint64_t max_batches = 0) {
    Plan plan;
    plan.delivery.max_batches = max_batches;
    plan.delivery.batch_size = 10;
    plan.delivery.image = ImageSpec{8, 8};
    session_->Grant(credits);
    session_->Open(*engine_->OpenStream(plan, memory_), plan.delivery);
  }

  static StreamSession::Clock::time_point Hours(int hours) {
    return StreamSession::Clock::now() + std::chrono::hours(hours);
  }

  std::unique_ptr<batch::Engine> engine_;
  std::shared_ptr<batch::MemoryArbiter> memory_;
  NotingSink sink_;
  std::shared_ptr<StreamSession> session_;
};

TEST_F(StreamSessionTest, RebalanceEndsWellAtTheCursorAfterTheBatchInHand) {
  Open(1);
  session_->OnWritten();
  sink_.AwaitCall(2);
  session_->Rebalance();
  EXPECT_FALSE(sink_.end_.has_value()) << "a batch is in hand";
  session_->OnWritten();
  ASSERT_TRUE(sink_.end_.has_value());
  EXPECT_EQ(sink_.end_->reason, batch::EndReason::kRebalance);
  EXPECT_EQ(sink_.end_->place, (order::EpochPosition{0, 10}));
  EXPECT_EQ(sink_.batches_, 1U);
  EXPECT_TRUE(session_->finished());
}

TEST_F(StreamSessionTest, RebalanceBeforeTheFirstPartStillOpensFirst) {
  session_->Rebalance();
  Open(1);
  EXPECT_TRUE(sink_.opened_);
  session_->OnWritten();
  ASSERT_TRUE(sink_.end_.has_value());
  EXPECT_EQ(sink_.end_->place, (order::EpochPosition{0, 0}));
}

TEST_F(StreamSessionTest, WhoLeavesBehindItsLastBatchHasReadAllOfIt) {
  Open(1, /*max_batches=*/1);
  session_->OnWritten();
  sink_.AwaitCall(2);
  session_->OnPeerGone();
  session_->OnWritten();
  EXPECT_EQ(session_->Report().end_reason, "MAX_BATCHES");
  EXPECT_TRUE(session_->Report().end->ok());
  EXPECT_EQ(session_->Report().batches, 1U);
}

TEST_F(StreamSessionTest, WhoDoesNotGetItsLastBatchHasNotReadAllOfIt) {
  Open(1, /*max_batches=*/1);
  session_->OnWritten();
  sink_.AwaitCall(2);
  session_->OnPeerGone();
  session_->OnPeerGone(/*lost=*/true);
  session_->OnWritten();
  EXPECT_EQ(session_->Report().end_reason, "CLIENT_GONE");
  EXPECT_EQ(session_->Report().batches, 0U);
}

TEST_F(StreamSessionTest, WhoLeavesBeforeItsLastBatchHasGone) {
  Open(1, /*max_batches=*/2);
  session_->OnWritten();
  sink_.AwaitCall(2);
  session_->OnPeerGone();
  session_->OnWritten();
  EXPECT_EQ(session_->Report().end_reason, "CLIENT_GONE");
}

TEST_F(StreamSessionTest, BehindTheLastBatchComesItsEndAlsoWhereAServerLeaves) {
  Open(1, /*max_batches=*/1);
  session_->OnWritten();
  sink_.AwaitCall(2);
  session_->Drain();
  session_->Rebalance();
  session_->OnWritten();
  ASSERT_TRUE(sink_.end_.has_value());
  EXPECT_EQ(sink_.end_->reason, batch::EndReason::kMaxBatches);
}

TEST_F(StreamSessionTest, AnIdleStreamWithoutCreditsIsKept) {
  Open(1);
  session_->OnWritten();
  sink_.AwaitCall(2);
  session_->OnWritten();
  session_->EndIfStalled(Hours(1));
  EXPECT_FALSE(session_->finished());
  session_->Grant(1);
  sink_.AwaitCall(3);
  EXPECT_EQ(sink_.batches_, 2U);
}

TEST_F(StreamSessionTest, ABatchThatIsNotTakenIsGivenUpAndSaysWhy) {
  Open(1);
  session_->OnWritten();
  sink_.AwaitCall(2);
  session_->EndIfStalled(StreamSession::Clock::now() - std::chrono::hours(1));
  EXPECT_TRUE(sink_.aborted_.ok());
  session_->EndIfStalled(Hours(1));
  EXPECT_EQ(sink_.aborted_.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(sink_.aborted_), kReasonSlowReader);
}

// gRPC says that a write is done while it still holds the bytes.
TEST_F(StreamSessionTest, BytesThatTheConnectionHoldsAreNotTaken) {
  Open(2);
  session_->OnWritten();
  sink_.AwaitCall(2);
  sink_.unread_.OnHanded(1000);
  session_->OnWritten();
  EXPECT_EQ(session_->Report().unread_bytes, 1000U);
  session_->EndIfStalled(StreamSession::Clock::now() - std::chrono::hours(1));
  EXPECT_TRUE(sink_.aborted_.ok());
  session_->EndIfStalled(Hours(1));
  EXPECT_EQ(ReasonOf(sink_.aborted_), kReasonSlowReader);
}

TEST_F(StreamSessionTest, ALongWriteOfWhichSomeIsTakenIsNotStuck) {
  Open(1);
  session_->OnWritten();
  sink_.AwaitCall(2);
  sink_.unread_.OnHanded(1000);
  const auto begun = StreamSession::Clock::now();
  while (StreamSession::Clock::now() == begun) {
  }
  sink_.unread_.OnTaken(10);
  session_->EndIfStalled(begun);
  EXPECT_TRUE(sink_.aborted_.ok());
}

TEST_F(StreamSessionTest, TheLastBytesOfAStreamAreTakenOrGivenUp) {
  Open(1);
  session_->OnWritten();
  sink_.AwaitCall(2);
  sink_.unread_.OnHanded(1000);
  session_->OnWritten();
  session_->Rebalance();
  ASSERT_TRUE(session_->finished());
  session_->EndIfStalled(Hours(1));
  EXPECT_EQ(ReasonOf(sink_.aborted_), kReasonSlowReader);
}

TEST_F(StreamSessionTest, ARequestThatIsWaitedForOrLookedAtIsNotStuck) {
  session_->Grant(1);
  session_->EndIfStalled(Hours(1));
  EXPECT_FALSE(session_->finished());
  Open(1);
  EXPECT_TRUE(sink_.opened_);
}

TEST_F(StreamSessionTest, ADuplicateIsNamedAndStridesOfOneEpochAreNone) {
  StreamReport one;
  one.dataset = "fake";
  one.plan_hash = "p";
  one.id = 7;
  one.peer = "ipv4:10.0.0.1:9";
  StreamReport duplicate = one;
  duplicate.id = 8;
  StreamReport other_rank = one;
  other_rank.rank = 1;
  StreamReport stride = one;
  stride.step_offset = 1;
  StreamReport later = one;
  later.place.epoch = 1;
  StreamReport opening;
  StreamReport also_opening;
  const std::vector<std::string> warnings = DuplicateWarnings(
      {one, other_rank, duplicate, stride, later, opening, also_opening});
  EXPECT_THAT(warnings[0], HasSubstr("Stream 8 of ipv4:10.0.0.1:9"));
  EXPECT_THAT(warnings[2], HasSubstr("Stream 7 of"));
  for (const size_t alone : {1, 3, 4, 5, 6}) EXPECT_EQ(warnings[alone], "");
}

}  // namespace
}  // namespace inkstream::transport
