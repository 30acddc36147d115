// What an engine goes on doing while the disk of one store answers no more.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "server/batch/engine.h"
#include "server/batch/work/parked_request.h"
#include "tests/support/batch_puller.h"
#include "tests/support/fake_store.h"
#include "tests/support/heap_buffer_pool.h"
#include "tests/support/hung_disk.h"

namespace inkstream::batch {
namespace {

using testing::Soon;

// Its columns are on the disk too.
class HungStore : public testing::FakeStore {
 public:
  explicit HungStore(testing::HungDisk* disk) : FakeStore(1000), disk_(disk) {
    SetPath("/fake/hung.ink");
    SetFingerprint("hung");
    OnRead([disk](uint64_t) { disk->Read(); });
  }
  int32_t Recognized(uint64_t index) const override {
    disk_->Read();
    return FakeStore::Recognized(index);
  }

 private:
  testing::HungDisk* const disk_;
};

class HungStoreTest : public ::testing::Test {
 protected:
  HungStoreTest() {
    EngineOptions options;
    options.workers = 2;
    options.batch_memory = 64U << 20U;
    engine_ = *Engine::Create(options);
    memory_ = engine_->Arbitrate(pool_);
    EXPECT_TRUE(
        engine_->AddDataset("hung", std::make_shared<HungStore>(&disk_)).ok());
    EXPECT_TRUE(
        engine_->AddDataset("well", std::make_shared<testing::FakeStore>(1000))
            .ok());
  }
  ~HungStoreTest() override { disk_.Answer(); }

  std::shared_ptr<BatchStream> Open(const std::string& dataset) {
    Plan plan;
    plan.dataset = dataset;
    plan.delivery.image = ImageSpec{};
    plan.delivery.batch_size = 50;
    return *engine_->OpenStream(plan, memory_);
  }

  void Fetch(const std::string& dataset, std::atomic<int>* answered) {
    FetchPlan plan;
    plan.dataset = dataset;
    plan.indices = {1, 2, 3};
    plan.delivery.image = ImageSpec{};
    engine_->Fetch(plan, memory_, {}, [=](const auto& batch) {
      EXPECT_TRUE(batch.ok()) << batch.status();
      ++*answered;
    });
  }

  void Describe(const std::string& dataset, const std::string& recognized,
                std::atomic<int>* answered) {
    View view;
    view.where = {{"recognized", WhereOp::kEq, {recognized}}};
    ASSERT_TRUE(engine_
                    ->Run("", 1,
                          [=, this] {
                            const auto facts = engine_->Describe(dataset, view);
                            if (IsParked(facts.status())) return;
                            EXPECT_TRUE(facts.ok()) << facts.status();
                            ++*answered;
                          })
                    .ok());
  }

  testing::HungDisk disk_;
  const std::shared_ptr<testing::HeapBufferPool> pool_ =
      std::make_shared<testing::HeapBufferPool>();
  std::unique_ptr<Engine> engine_;
  std::shared_ptr<MemoryArbiter> memory_;
};

TEST_F(HungStoreTest, AStreamOfAnotherGoesOnAndItsOwnDoWhenItAnswers) {
  std::vector<testing::BatchPuller> waiting;
  for (int i = 0; i < 8; ++i) {
    waiting.emplace_back(Open("hung"));
    ASSERT_TRUE(waiting.back()->Grant(2).ok());
  }
  ASSERT_TRUE(Soon([this] { return disk_.begun() >= 2; }));
  testing::BatchPuller stream(Open("well"));
  TakeResult last;
  EXPECT_EQ(stream.All(&last).size(), 20);
  EXPECT_TRUE(std::holds_alternative<Ended>(last));
  EXPECT_EQ(disk_.begun(), 2);
  disk_.Answer();
  for (testing::BatchPuller& late : waiting) EXPECT_EQ(late.All().size(), 20);
}

TEST_F(HungStoreTest, RequestsForAnotherAreAnsweredAndItsOwnWhenItAnswers) {
  std::atomic<int> late{0};
  std::atomic<int> answered{0};
  for (int i = 0; i < 10; ++i) Fetch("hung", &late);
  Describe("hung", "true", &late);
  Describe("hung", "false", &late);
  for (int i = 0; i < 10; ++i) Fetch("well", &answered);
  Describe("well", "true", &answered);
  EXPECT_TRUE(Soon([&] { return answered == 11; })) << answered;
  EXPECT_EQ(late, 0);
  disk_.Answer();
  EXPECT_TRUE(Soon([&] { return late == 12; })) << late;
}

TEST_F(HungStoreTest, WhatIsServedIsToldWithWhatDoesNotAnswer) {
  testing::BatchPuller waiting(Open("hung"));
  ASSERT_TRUE(waiting->Grant(1).ok());
  EXPECT_TRUE(Soon([this] { return !engine_->stores()[0].problem.empty(); }));
  const std::vector<ServedStore> stores = engine_->stores();
  EXPECT_NE(stores[0].problem.find("a read of /fake/hung.ink"),
            std::string::npos)
      << stores[0].problem;
  EXPECT_EQ(stores[1].problem, "");
  EXPECT_TRUE(engine_->Describe("well", View()).ok());
  EXPECT_TRUE(engine_->Describe("hung", View()).ok());
  disk_.Answer();
  EXPECT_EQ(waiting.All().size(), 20);
  EXPECT_EQ(engine_->stores()[0].problem, "");
}

}  // namespace
}  // namespace inkstream::batch
