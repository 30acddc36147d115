#include "server/batch/work/memory_arbiter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "server/base/status_reason.h"
#include "tests/support/heap_buffer_pool.h"

namespace inkstream::batch {
namespace {

using ::testing::HasSubstr;

constexpr size_t kBudget = 100;

// An account, and the buffers that it has got.
class Holder : public BufferWaiter,
               public std::enable_shared_from_this<Holder> {
 public:
  explicit Holder(std::shared_ptr<MemoryAccount> account)
      : account_(std::move(account)) {}
  ~Holder() override { account_->Close(); }

  // Whether it came at once.
  bool Ask(size_t bytes) {
    absl::StatusOr<std::unique_ptr<Buffer>> buffer =
        account_->Acquire(bytes, shared_from_this());
    EXPECT_TRUE(buffer.ok()) << buffer.status();
    if (*buffer == nullptr) return false;
    const std::lock_guard<std::mutex> lock(mu_);
    buffers_.push_back(*std::move(buffer));
    return true;
  }

  void OnBuffer(absl::StatusOr<std::unique_ptr<Buffer>> buffer) override {
    const std::lock_guard<std::mutex> lock(mu_);
    if (buffer.ok()) {
      buffers_.push_back(*std::move(buffer));
    } else {
      error_ = buffer.status();
    }
    changed_.notify_all();
  }

  // Its client reads the oldest one.
  void Return() {
    std::unique_ptr<Buffer> oldest;
    const std::lock_guard<std::mutex> lock(mu_);
    oldest = std::move(buffers_.front());
    buffers_.erase(buffers_.begin());
  }

  void Await(size_t buffers) {
    std::unique_lock<std::mutex> lock(mu_);
    changed_.wait(lock, [&] { return buffers_.size() >= buffers; });
  }

  size_t buffers() const {
    const std::lock_guard<std::mutex> lock(mu_);
    return buffers_.size();
  }
  absl::Status error() const {
    const std::lock_guard<std::mutex> lock(mu_);
    return error_;
  }
  MemoryAccount* operator->() { return account_.get(); }

 private:
  const std::shared_ptr<MemoryAccount> account_;
  mutable std::mutex mu_;  // guards everything below
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Buffer>> buffers_;
  absl::Status error_;
};

class MemoryArbiterTest : public ::testing::Test {
 protected:
  ~MemoryArbiterTest() override {
    workers_->Stop();
    memory_->Stop();
  }

  std::shared_ptr<Holder> Open(size_t bytes, const std::string& caller = "") {
    return std::make_shared<Holder>(memory_->Open(caller, bytes));
  }

  // Everything that can be served has been.
  void Settle() {
    std::mutex mu;
    std::condition_variable changed;
    bool done = false;
    workers_->Post([&] {
      const std::lock_guard<std::mutex> lock(mu);
      done = true;
      changed.notify_all();
    });
    std::unique_lock<std::mutex> lock(mu);
    changed.wait(lock, [&] { return done; });
  }

  const std::shared_ptr<testing::HeapBufferPool> pool_ =
      std::make_shared<testing::HeapBufferPool>(kBudget);
  // One, which serves in order.
  const std::shared_ptr<WorkerPool> workers_ = std::make_shared<WorkerPool>(1);
  const std::shared_ptr<MemoryArbiter> memory_ =
      std::make_shared<MemoryArbiter>(pool_, workers_,
                                      std::chrono::milliseconds(0));
};

TEST_F(MemoryArbiterTest, WhatComesBackGoesToWhoeverWaits) {
  const auto one = Open(60);
  const auto other = Open(60);
  EXPECT_TRUE(one->Ask(60));
  EXPECT_FALSE(other->Ask(60));
  one->Return();
  Settle();
  EXPECT_EQ(other->buffers(), 0U) << "one has its reservation still";
  (*one)->Close();
  other->Await(1);
  EXPECT_EQ(memory_->in_use(), 60U);
}

TEST_F(MemoryArbiterTest, OneBufferIsAlwaysItsOwn) {
  const auto hog = Open(20);
  const auto reader = Open(30);
  EXPECT_TRUE(reader->Ask(30));
  EXPECT_TRUE(hog->Ask(20));
  reader->Return();
  // Only what nobody has reserved.
  EXPECT_FALSE(hog->Ask(60));
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(reader->Ask(30));
    reader->Return();
  }
}

TEST_F(MemoryArbiterTest, WhoReadsNothingLeavesHalfToThoseWhoRead) {
  const auto hog = Open(10);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(hog->Ask(10)) << i;
  EXPECT_FALSE(hog->Ask(10)) << "half is claimed, and nothing was read";
  const auto reader = Open(10);
  EXPECT_TRUE(reader->Ask(10));
  EXPECT_FALSE(reader->Ask(10));
  reader->Return();
  // The one that waited lies where the first one lay; from now on it has two.
  reader->Await(1);
  EXPECT_TRUE(reader->Ask(10));
  EXPECT_FALSE(reader->Ask(10));
  reader->Return();
  reader->Await(2);
  EXPECT_TRUE(reader->Ask(10)) << "three, after two were read";
  EXPECT_EQ(hog->buffers(), 5U);
}

TEST_F(MemoryArbiterTest, ASmallRequestPassesOneThatDoesNotFit) {
  const auto holder = Open(60);
  ASSERT_TRUE(holder->Ask(60));
  const auto large = Open(50);
  EXPECT_FALSE(large->Ask(50));
  const auto small = Open(20);
  EXPECT_TRUE(small->Ask(20));
  (*holder)->Close();
  holder->Return();
  large->Await(1);
}

// Else a flood of small ones would starve it.
TEST_F(MemoryArbiterTest, WhatPassesTheOneInFrontIsHalfOfTheBudgetAtMost) {
  const auto holder = Open(40);
  ASSERT_TRUE(holder->Ask(40));
  const auto large = Open(65);
  EXPECT_FALSE(large->Ask(65));
  std::vector<std::shared_ptr<Holder>> small;
  for (int i = 0; i < 6; ++i) {
    small.push_back(Open(10));
    EXPECT_EQ(small.back()->Ask(10), i < 5) << i;
  }
  // Room for one more is not enough for another to pass.
  (*holder)->Close();
  holder->Return();
  Settle();
  EXPECT_EQ(small[5]->buffers(), 0U);
  // Those that passed come back, and others may pass in their place.
  small[0].reset();
  small[5]->Await(1);
  small[1].reset();
  small[2].reset();
  large->Await(1);
}

TEST_F(MemoryArbiterTest, TheCallerWithLeastComesFirstThenTheAccountWithLeast) {
  const auto hers = Open(20, "her");
  const auto his = Open(20, "him");
  const auto his_other = Open(20, "him");
  for (const auto& one : {hers, his, his_other}) {
    ASSERT_TRUE(one->Ask(20));
    one->Return();  // all of them read
    ASSERT_TRUE(one->Ask(20));
  }
  const auto filler = Open(40, "filler");
  ASSERT_TRUE(filler->Ask(40));
  // Asked for in the order that is not to be kept.
  const auto his_third = Open(20, "him");
  EXPECT_FALSE(his->Ask(20));
  EXPECT_FALSE(his_third->Ask(20));
  EXPECT_FALSE(hers->Ask(20));
  (*filler)->Close();
  filler->Return();
  hers->Await(2);
  his_third->Await(1);
  EXPECT_EQ(his->buffers(), 1U);
}

TEST_F(MemoryArbiterTest, OneCallerLeavesAnEighthToOthers) {
  std::vector<std::shared_ptr<Holder>> hogs;
  for (int i = 0; i < 10; ++i) {
    hogs.push_back(Open(10, "hog"));
    EXPECT_EQ(hogs.back()->Ask(10), i < 8) << i;
  }
  // Those that wait stand in nobody's way.
  const auto newcomer = Open(12, "newcomer");
  EXPECT_TRUE(newcomer->Ask(12));
  (*hogs[0])->Close();
  hogs[0]->Return();
  hogs[8]->Await(1);
  EXPECT_EQ(hogs[9]->buffers(), 0U);
}

TEST_F(MemoryArbiterTest, OneOfACallersIsGivenWhateverItsSize) {
  const auto large = Open(95, "one");
  ASSERT_TRUE(large->Ask(95));
  (*large)->WantNothing();
  large->Return();
  // Of its own, what is idle makes room.
  const auto next = Open(90, "one");
  EXPECT_TRUE(next->Ask(90));
}

TEST_F(MemoryArbiterTest, WhoHasItsShareGivesUpWhatIsItsOwn) {
  const auto other = Open(10, "other");
  ASSERT_TRUE(other->Ask(10));
  (*other)->WantNothing();
  other->Return();
  const auto idle = Open(40, "one");
  ASSERT_TRUE(idle->Ask(40));
  (*idle)->WantNothing();
  idle->Return();
  const auto busy = Open(40, "one");
  ASSERT_TRUE(busy->Ask(40));
  const auto next = Open(40, "one");
  EXPECT_TRUE(next->Ask(40));
  // That of the other one, which has been idle for longer, is left to it.
  EXPECT_EQ(memory_->in_use(), 80U);
  EXPECT_FALSE(idle->Ask(40));
  EXPECT_TRUE(other->Ask(10));
}

TEST_F(MemoryArbiterTest, WhoWantsNothingMakesRoomForWhoeverHasNone) {
  const auto idle = Open(70);
  ASSERT_TRUE(idle->Ask(70));
  (*idle)->WantNothing();
  const auto newcomer = Open(60);
  EXPECT_FALSE(newcomer->Ask(60)) << "its buffer is not back";
  idle->Return();
  newcomer->Await(1);
  // It waits for another one like anybody else.
  EXPECT_FALSE(idle->Ask(70));
  (*newcomer)->Close();
  newcomer->Return();
  idle->Await(1);
}

TEST_F(MemoryArbiterTest, WhoWantsNothingKeepsItsReservationFromExtras) {
  const auto idle = Open(50);
  ASSERT_TRUE(idle->Ask(50));
  (*idle)->WantNothing();
  idle->Return();
  const auto reader = Open(40);
  ASSERT_TRUE(reader->Ask(40));
  EXPECT_FALSE(reader->Ask(40));
  EXPECT_TRUE(idle->Ask(50));
}

TEST_F(MemoryArbiterTest, WhoWantsNothingForAMomentKeepsItsReservation) {
  const auto memory =
      std::make_shared<MemoryArbiter>(pool_, workers_, std::chrono::hours(1));
  const auto reader = std::make_shared<Holder>(memory->Open("reader", 70));
  ASSERT_TRUE(reader->Ask(70));
  reader->Return();
  (*reader)->WantNothing();
  const auto newcomer = std::make_shared<Holder>(memory->Open("newcomer", 60));
  EXPECT_FALSE(newcomer->Ask(60));
  Settle();
  EXPECT_TRUE(reader->Ask(70));
  memory->Stop();
}

TEST_F(MemoryArbiterTest, WhatIsLentStaysCountedWhenItsAccountHasGone) {
  auto holder = Open(80);
  ASSERT_TRUE(holder->Ask(80));
  (*holder)->Close();
  const auto next = Open(30);
  EXPECT_FALSE(next->Ask(30));
  EXPECT_EQ(memory_->in_use(), 80U);
  holder.reset();
  next->Await(1);
}

TEST_F(MemoryArbiterTest, AWaitThatLastsTooLongEndsWithTheSum) {
  const auto holder = Open(60);
  ASSERT_TRUE(holder->Ask(60));
  const auto late = Open(60);
  EXPECT_FALSE(late->Ask(60));
  EXPECT_FALSE(holder->Ask(60)) << "has a buffer, and waits for another";
  memory_->EndWaits(MemoryArbiter::Clock::now() - std::chrono::hours(1));
  EXPECT_TRUE(late->error().ok());
  memory_->EndWaits(MemoryArbiter::Clock::now());
  EXPECT_EQ(late->error().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(late->error()), kReasonOverloaded);
  EXPECT_THAT(std::string(late->error().message()),
              HasSubstr("1 other streams and fetches"));
  EXPECT_TRUE(holder->error().ok());
  holder->Return();
  holder->Await(1);
}

TEST_F(MemoryArbiterTest, StoppingLetsGoOfWhoeverWaits) {
  const auto holder = Open(60);
  ASSERT_TRUE(holder->Ask(60));
  auto waiting = Open(60);
  EXPECT_FALSE(waiting->Ask(60));
  const std::weak_ptr<Holder> let_go = waiting;
  waiting.reset();
  EXPECT_FALSE(let_go.expired());
  memory_->Stop();
  EXPECT_TRUE(let_go.expired());
  EXPECT_FALSE(holder->Ask(10));
}

}  // namespace
}  // namespace inkstream::batch
