#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "server/batch/engine.h"
#include "tests/support/batch_puller.h"
#include "tests/support/fake_store.h"
#include "tests/support/heap_buffer_pool.h"

namespace inkstream::batch {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::TensorOf;

class FetchTest : public ::testing::Test {
 protected:
  FetchTest() {
    EngineOptions options;
    options.workers = 2;
    options.batch_memory = 64U << 20U;
    engine_ = *Engine::Create(options);
    store_ = std::make_shared<testing::FakeStore>(1000);
    EXPECT_TRUE(engine_->AddDataset("fake", store_).ok());
  }

  absl::StatusOr<FetchedBatch> Fetch(const FetchPlan& plan) {
    std::promise<absl::StatusOr<FetchedBatch>> answer;
    engine_->Fetch(plan, engine_->Arbitrate(pool_), {},
                   [&](absl::StatusOr<FetchedBatch> batch) {
                     answer.set_value(std::move(batch));
                   });
    return answer.get_future().get();
  }

  // A stream of drawings below 900.
  absl::StatusOr<std::shared_ptr<BatchStream>> OpenInOrder() {
    Plan plan;
    plan.order.shuffle = ShuffleKind::kNone;
    plan.delivery.image = ImageSpec{};
    plan.delivery.batch_size = 64;
    return engine_->OpenStream(plan, engine_->Arbitrate(pool_));
  }

  void ExpectRefused(const FetchPlan& plan, absl::StatusCode code,
                     const std::string& text) {
    const absl::Status status = Fetch(plan).status();
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(text));
  }

  const std::shared_ptr<testing::HeapBufferPool> pool_ =
      std::make_shared<testing::HeapBufferPool>();
  std::shared_ptr<testing::FakeStore> store_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(FetchTest, WhatNobodyWaitsForIsNotDrawnInFull) {
  std::promise<void> begun;
  std::promise<void> open;
  std::once_flag first;
  store_->OnRead([&, opened = open.get_future().share()](uint64_t) {
    std::call_once(first, [&] { begun.set_value(); });
    opened.wait();
  });
  FetchPlan plan;
  plan.indices.assign(4096, 7);
  plan.delivery.image = ImageSpec{64, 64};
  std::promise<absl::Status> answer;
  const auto end = engine_->Fetch(plan, engine_->Arbitrate(pool_), {},
                                  [&](absl::StatusOr<FetchedBatch> batch) {
                                    answer.set_value(batch.status());
                                  });
  begun.get_future().wait();
  end();
  EXPECT_EQ(answer.get_future().get().code(), absl::StatusCode::kCancelled);
  open.set_value();
  // What it held comes back when the pieces that had begun are drawn.
  while (pool_->in_use() > 0) std::this_thread::yield();
  EXPECT_LT(store_->reads(), 2048U);
  end();  // of one that is over: nothing
}

TEST_F(FetchTest, ManyKeysAreFoundWhereverTheyLie) {
  FetchPlan plan;
  plan.delivery.image = ImageSpec{8, 8};
  plan.key_ids = {1999, 1000, 1500, 1000, 1001, 1007, 1008};
  const absl::StatusOr<FetchedBatch> batch = Fetch(plan);
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_THAT(TensorOf<int64_t>(batch->batch, "index"),
              ElementsAre(999, 0, 500, 0, 1, 7, 8));
  plan.key_ids.push_back(5);
  ExpectRefused(plan, absl::StatusCode::kNotFound, "key_id[7]");
}

TEST_F(FetchTest, IndicesComeInTheOrderAskedWithRepeats) {
  FetchPlan plan;
  plan.indices = {5, 9, 5, 999, 0};
  plan.delivery.image = ImageSpec{};
  plan.delivery.columns = {"label"};
  const absl::StatusOr<FetchedBatch> batch = Fetch(plan);
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_THAT(TensorOf<int64_t>(batch->batch, "index"),
              ElementsAre(5, 9, 5, 999, 0));
  EXPECT_THAT(TensorOf<uint8_t>(batch->batch, "valid"),
              ElementsAre(1, 1, 1, 1, 1));
  EXPECT_EQ(TensorOf<int64_t>(batch->batch, "label")[0], store_->Label(5));
  EXPECT_EQ(batch->facts.start.fingerprint, store_->info().fingerprint);
  EXPECT_EQ(batch->facts.vocabulary, store_->info().classes);
  EXPECT_THAT(batch->facts.countrycodes, IsEmpty()) << "nobody asked";
  plan.delivery.columns = {"countrycode"};
  EXPECT_EQ(Fetch(plan)->facts.countrycodes, store_->countrycodes());
}

// Holds whatever thread comes by until it may go on.
class Barrier {
 public:
  void Hold() {
    held_.fetch_add(1);
    opened_.wait();
  }
  void Open() { open_.set_value(); }
  int held() const { return held_; }

 private:
  std::promise<void> open_;
  const std::shared_future<void> opened_{open_.get_future()};
  std::atomic<int> held_{0};
};

TEST_F(FetchTest, ASmallOneDoesNotWaitForWorkersThatAreBusy) {
  const auto barrier = std::make_shared<Barrier>();
  store_->OnRead([barrier](uint64_t index) {
    if (index != 907) barrier->Hold();
  });
  auto stream = OpenInOrder();
  ASSERT_TRUE(stream.ok()) << stream.status();
  ASSERT_TRUE((*stream)->Grant(2).ok());
  while (barrier->held() < engine_->workers()) std::this_thread::yield();
  FetchPlan fetch;
  fetch.indices.assign(256, 907);
  fetch.delivery.image = ImageSpec{28, 28};
  for (int i = 0; i < 3; ++i) {
    const absl::StatusOr<FetchedBatch> batch = Fetch(fetch);
    ASSERT_TRUE(batch.ok()) << batch.status();
    EXPECT_EQ(batch->batch.rows, 256U);
  }
  barrier->Open();
}

TEST_F(FetchTest, BesideOneThatDrawsItselfTheNextIsLeftToTheWorkers) {
  std::mutex mutex;
  std::set<std::thread::id> workers;
  std::thread::id second;
  std::promise<void> begun;
  std::promise<void> open;
  std::atomic<bool> held{false};
  const auto barrier = std::make_shared<Barrier>();
  store_->OnRead([&, opened = open.get_future().share()](uint64_t index) {
    {
      const std::lock_guard<std::mutex> lock(mutex);
      if (index < 900) workers.insert(std::this_thread::get_id());
      if (index == 901) second = std::this_thread::get_id();
    }
    if (index < 900) return barrier->Hold();
    if (index != 900 || held.exchange(true)) return;
    begun.set_value();
    opened.wait();
  });
  auto stream = OpenInOrder();
  ASSERT_TRUE(stream.ok()) << stream.status();
  ASSERT_TRUE((*stream)->Grant(2).ok());
  while (barrier->held() < engine_->workers()) std::this_thread::yield();
  const auto fetch = [&](uint64_t index) {
    FetchPlan of_one;
    of_one.indices = {index};
    of_one.delivery.image = ImageSpec{};
    return Fetch(of_one).status();
  };
  auto first = std::async(std::launch::async, [&] { return fetch(900); });
  begun.get_future().wait();
  auto next = std::async(std::launch::async, [&] { return fetch(901); });
  // Were it drawn by a thread of its own, it would be by now.
  next.wait_for(std::chrono::milliseconds(50));
  barrier->Open();
  EXPECT_TRUE(next.get().ok());
  EXPECT_TRUE(workers.count(second) == 1);
  open.set_value();
  EXPECT_TRUE(first.get().ok());
  // What the stream reads ahead is told to what ends with this test.
  engine_->Stop();
}

TEST_F(FetchTest, ThoseThatNeverGetAThreadAreAnswered) {
  engine_->Stop();
  FetchPlan plan;
  plan.indices = {1};
  plan.delivery.image = ImageSpec{};
  EXPECT_EQ(Fetch(plan).status().code(), absl::StatusCode::kCancelled);
}

TEST_F(FetchTest, PiecesOfALargeOneAreDrawnByAllThreads) {
  FetchPlan plan;
  for (uint64_t i = 0; i < 1000; ++i) plan.indices.push_back(i * 7 % 1000);
  plan.delivery.image = ImageSpec{128, 128};
  const absl::StatusOr<FetchedBatch> large = Fetch(plan);
  ASSERT_TRUE(large.ok()) << large.status();
  const std::vector<uint8_t> images = TensorOf<uint8_t>(large->batch, "image");
  const size_t bytes = images.size() / plan.indices.size();
  for (const size_t row : {0U, 1U, 127U, 512U, 998U, 999U}) {
    FetchPlan one = plan;
    one.indices = {plan.indices[row]};
    const absl::StatusOr<FetchedBatch> alone = Fetch(one);
    ASSERT_TRUE(alone.ok()) << alone.status();
    EXPECT_EQ(TensorOf<uint8_t>(alone->batch, "image"),
              std::vector<uint8_t>(images.begin() + row * bytes,
                                   images.begin() + (row + 1) * bytes))
        << row;
  }
}

TEST_F(FetchTest, RanksCountInTheView) {
  FetchPlan plan;
  plan.view.classes = {"class2"};
  plan.ranks = {0, 2};
  plan.delivery.columns = {"label"};
  const absl::StatusOr<FetchedBatch> batch = Fetch(plan);
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_THAT(TensorOf<int64_t>(batch->batch, "index"), ElementsAre(2, 10));
  EXPECT_THAT(TensorOf<int64_t>(batch->batch, "label"), ElementsAre(0, 0));
}

TEST_F(FetchTest, FewKeysAndManyKeysFindTheSameDrawings) {
  FetchPlan plan;
  plan.key_ids = {1007, 1003};
  absl::StatusOr<FetchedBatch> batch = Fetch(plan);
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_THAT(TensorOf<int64_t>(batch->batch, "index"), ElementsAre(7, 3));
  plan.key_ids = {1007, 1003, 1000, 1001, 1002, 1007};
  batch = Fetch(plan);
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_THAT(TensorOf<int64_t>(batch->batch, "index"),
              ElementsAre(7, 3, 0, 1, 2, 7));
}

TEST_F(FetchTest, WhatCannotBeFoundIsNamed) {
  FetchPlan plan;
  ExpectRefused(plan, absl::StatusCode::kInvalidArgument, "none is set");
  plan.indices = {1, 1000};
  ExpectRefused(plan, absl::StatusCode::kInvalidArgument,
                "index[1]: 1000 is not below 1000");
  plan.ranks = {1};
  ExpectRefused(plan, absl::StatusCode::kInvalidArgument, "more than one");
  plan.indices.clear();
  plan.ranks = {0, 250};
  plan.view.classes = {"class0"};
  ExpectRefused(plan, absl::StatusCode::kInvalidArgument,
                "rank[1]: 250 is not below 250");
  plan.ranks.clear();
  plan.key_ids = {1000, 5};
  ExpectRefused(plan, absl::StatusCode::kNotFound,
                "key_id[1]: no drawing of dataset \"fake\" has the key 5");
  plan.key_ids = {1000, 1001, 1002, 1003, 1004, 5};
  ExpectRefused(plan, absl::StatusCode::kNotFound, "key_id[5]");
  plan.key_ids.assign(4097, 1000);
  ExpectRefused(plan, absl::StatusCode::kInvalidArgument,
                "key_id: 4097 drawings asked for; at most 4096");
}

TEST_F(FetchTest, ADamagedRecordIsDataLoss) {
  store_->Damage(3);
  FetchPlan plan;
  plan.indices = {1, 3};
  plan.delivery.image = ImageSpec{};
  ExpectRefused(plan, absl::StatusCode::kDataLoss, "drawing 3");
}

TEST_F(FetchTest, InspectFindsByIndexAndByKey) {
  const absl::StatusOr<InspectedDrawing> by_index =
      engine_->Inspect("fake", 8, 0);
  ASSERT_TRUE(by_index.ok());
  EXPECT_EQ(by_index->index, 8U);
  EXPECT_EQ(by_index->label, 0);
  EXPECT_EQ(by_index->drawing.word, "class0");
  EXPECT_FALSE(by_index->split.empty());
  const absl::StatusOr<InspectedDrawing> by_key = engine_->Inspect("", 0, 1008);
  ASSERT_TRUE(by_key.ok());
  EXPECT_EQ(by_key->index, 8U);
  EXPECT_EQ(engine_->Inspect("fake", 1000, 0).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace inkstream::batch
