// One budget for all batches: streams wait at it, none of them for ever.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "server/base/status_reason.h"
#include "server/batch/engine.h"
#include "tests/support/batch_puller.h"
#include "tests/support/fake_store.h"
#include "tests/support/heap_buffer_pool.h"

namespace inkstream::batch {
namespace {

using testing::BatchPuller;
using testing::HeapBufferPool;

constexpr size_t kBudget = 300'000;

class MemoryBudgetTest : public ::testing::Test {
 protected:
  MemoryBudgetTest() {
    EngineOptions options;
    options.workers = 2;
    options.batch_memory = kBudget;
    engine_ = *Engine::Create(options);
    EXPECT_TRUE(
        engine_
            ->AddDataset("fake", std::make_shared<testing::FakeStore>(10'000))
            .ok());
    memory_ = engine_->Arbitrate(pool_);
    watch_ = std::jthread([this](const std::stop_token& over) {
      while (!over.stop_requested()) {
        memory_->EndWaits(MemoryArbiter::Clock::time_point::min());
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    });
  }

  // A batch of `kilobytes` pixels.
  BatchPuller Open(uint32_t kilobytes, uint64_t batches) {
    Plan plan;
    plan.delivery.image = ImageSpec{32, 32};
    plan.delivery.batch_size = kilobytes;
    plan.delivery.max_batches = batches;
    auto stream = engine_->OpenStream(plan, memory_);
    EXPECT_TRUE(stream.ok()) << stream.status();
    return BatchPuller(*std::move(stream));
  }

  const std::shared_ptr<HeapBufferPool> pool_ =
      std::make_shared<HeapBufferPool>(kBudget);
  std::unique_ptr<Engine> engine_;
  std::shared_ptr<MemoryArbiter> memory_;
  // Looks after those who wait, as a server does.
  std::jthread watch_;
};

TEST_F(MemoryBudgetTest, BatchesInFlightNeverExceedIt) {
  std::vector<std::thread> readers;
  std::vector<size_t> got(4);
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([this, i, &got] {
      BatchPuller stream = Open(60 + 40 * i, 15);
      stream->Grant(8).IgnoreError();
      for (;;) {
        TakeResult taken = stream.Next();
        if (!std::holds_alternative<FinishedBatch>(taken)) break;
        ++got[i];
      }
    });
  }
  for (std::thread& reader : readers) reader.join();
  for (const size_t batches : got) EXPECT_EQ(batches, 15U);
  EXPECT_LE(pool_->most_in_use(), kBudget);
  EXPECT_EQ(pool_->in_use(), 0U);
}

TEST_F(MemoryBudgetTest, ABatchAsLargeAsAllOfItWaitsAndIsServed) {
  BatchPuller holder = Open(100, 10);
  TakeResult held = holder.Next();
  ASSERT_TRUE(std::holds_alternative<FinishedBatch>(held));
  BatchPuller large = Open(280, 1);
  ASSERT_TRUE(large->Grant(1).ok());
  EXPECT_TRUE(std::holds_alternative<NotReady>(
      large.Wait(std::chrono::milliseconds(50))));
  // The holder wants nothing more: its reservation is free for another.
  held = NotReady{};
  TakeResult served = large.Wait(std::chrono::seconds(10));
  EXPECT_TRUE(std::holds_alternative<FinishedBatch>(served));
  ASSERT_TRUE(holder->Grant(1).ok());
  EXPECT_TRUE(std::holds_alternative<NotReady>(
      holder.Wait(std::chrono::milliseconds(50))));
  served = NotReady{};
  EXPECT_TRUE(std::holds_alternative<FinishedBatch>(
      holder.Wait(std::chrono::seconds(10))));
}

// Three streams of which each needs nearly a third of it, read in turn: what
// is ahead of one must not keep another from going on.
TEST_F(MemoryBudgetTest, StreamsReadInTurnNeverStandStill) {
  std::vector<BatchPuller> streams;
  for (int i = 0; i < 3; ++i) {
    streams.push_back(Open(90, 20));
    ASSERT_TRUE(streams.back()->Grant(4).ok());
  }
  std::vector<TakeResult> held(streams.size());
  for (int step = 0; step < 20; ++step) {
    for (size_t i = 0; i < streams.size(); ++i) {
      held[i] = NotReady{};
      held[i] = streams[i].Wait(std::chrono::seconds(10));
      ASSERT_TRUE(std::holds_alternative<FinishedBatch>(held[i]))
          << "stream " << i << ", step " << step;
      ASSERT_TRUE(streams[i]->Grant(1).ok());
    }
  }
}

TEST_F(MemoryBudgetTest, AStreamThatFindsNoRoomIsToldTheSum) {
  BatchPuller holder = Open(200, 10);
  TakeResult held = holder.Next();
  ASSERT_TRUE(holder->Grant(1).ok());
  BatchPuller late = Open(200, 10);
  ASSERT_TRUE(late->Grant(1).ok());
  memory_->EndWaits(MemoryArbiter::Clock::now());
  TakeResult ended = late.Wait(std::chrono::seconds(10));
  ASSERT_TRUE(std::holds_alternative<absl::Status>(ended));
  const auto& status = std::get<absl::Status>(ended);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(status), kReasonOverloaded);
  EXPECT_THAT(
      std::string(status.message()),
      ::testing::HasSubstr("one batch of 0.2 MiB; of the 0.3 MiB for "
                           "batches (25 % of --memory, seven eighths of "
                           "that for one caller), 1 other "
                           "streams and fetches hold 0.2 MiB"));
  // Nobody else is.
  held = NotReady{};
  EXPECT_TRUE(std::holds_alternative<FinishedBatch>(
      holder.Wait(std::chrono::seconds(10))));
}

TEST_F(MemoryBudgetTest, AWaiterThatLeavesDoesNotHoldUpTheNext) {
  BatchPuller holder = Open(200, 10);
  TakeResult held = holder.Next();
  {
    BatchPuller gone = Open(250, 1);
    ASSERT_TRUE(gone->Grant(1).ok());
  }
  BatchPuller next = Open(150, 1);
  ASSERT_TRUE(next->Grant(1).ok());
  held = NotReady{};
  EXPECT_TRUE(std::holds_alternative<FinishedBatch>(
      next.Wait(std::chrono::seconds(10))));
}

TEST_F(MemoryBudgetTest, AFetchWaitsForItsTurnToo) {
  BatchPuller holder = Open(200, 10);
  TakeResult held = holder.Next();
  FetchPlan plan;
  plan.delivery.image = ImageSpec{32, 32};
  plan.indices.assign(200, 7);
  std::atomic<bool> done{false};
  engine_->Fetch(plan, memory_, {}, [&](absl::StatusOr<FetchedBatch> batch) {
    EXPECT_TRUE(batch.ok()) << batch.status();
    done = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  EXPECT_FALSE(done);
  held = NotReady{};
  for (int i = 0; i < 2000 && !done; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_TRUE(done);
}

TEST_F(MemoryBudgetTest, StoppingAnswersAFetchThatWaits) {
  BatchPuller holder = Open(200, 10);
  TakeResult held = holder.Next();
  FetchPlan plan;
  plan.delivery.image = ImageSpec{32, 32};
  plan.indices.assign(200, 7);
  absl::Status answered;
  engine_->Fetch(plan, memory_, {}, [&](absl::StatusOr<FetchedBatch> batch) {
    answered = batch.status();
  });
  engine_->Stop();
  EXPECT_EQ(answered.code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace inkstream::batch
