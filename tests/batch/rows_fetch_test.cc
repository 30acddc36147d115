// Fetches that travel as rows: what a client makes of one is what the server
// would have drawn.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "server/batch/engine.h"
#include "tests/support/batch_puller.h"
#include "tests/support/drawn_rows.h"
#include "tests/support/fake_store.h"
#include "tests/support/heap_buffer_pool.h"

namespace inkstream::batch {
namespace {

using testing::BytesOf;
using testing::DrawnRows;
using testing::FakeStore;
using ::testing::HasSubstr;
using testing::HeapBufferPool;

class RowsFetchTest : public ::testing::Test {
 protected:
  RowsFetchTest() {
    EngineOptions options;
    options.workers = 2;
    options.batch_memory = 64U << 20U;
    engine_ = *Engine::Create(options);
    store_ = std::make_shared<FakeStore>(2000);
    store_->DrawSketches();
    EXPECT_TRUE(engine_->AddDataset("fake", store_).ok());
  }

  // Every seventh drawing from 0 on, again and again.
  static FetchPlan PlanOf(size_t drawings) {
    FetchPlan plan;
    for (size_t i = 0; i < drawings; ++i) plan.indices.push_back(7 * i % 2000);
    plan.delivery.image = ImageSpec{28, 28};
    plan.delivery.columns = {"label", "key_id"};
    return plan;
  }

  absl::StatusOr<FetchedBatch> Fetch(FetchPlan plan, Codec codec) {
    plan.delivery.codec = codec;
    std::promise<absl::StatusOr<FetchedBatch>> answer;
    engine_->Fetch(plan, engine_->Arbitrate(pool_), {},
                   [&](absl::StatusOr<FetchedBatch> batch) {
                     answer.set_value(std::move(batch));
                   });
    return answer.get_future().get();
  }

  // Answers whether it came as rows.
  bool ExpectSame(const FetchPlan& plan) {
    const auto expected = Fetch(plan, Codec::kNone);
    const auto fetched = Fetch(plan, Codec::kStrokes);
    EXPECT_TRUE(expected.ok()) << expected.status();
    EXPECT_TRUE(fetched.ok()) << fetched.status();
    if (!expected.ok() || !fetched.ok()) return false;
    const FinishedBatch& batch = fetched->batch;
    EXPECT_TRUE(fetched->facts.rows);
    EXPECT_EQ(batch.epoch, plan.epoch);
    EXPECT_EQ(batch.bad, expected->batch.bad);
    EXPECT_LE(batch.wire_bytes(), batch.byte_size + rows::kMostBeyondTensors);
    if (!batch.rows_form.has_value()) {
      EXPECT_EQ(BytesOf(batch), BytesOf(expected->batch));
      return false;
    }
    EXPECT_FALSE(batch.rows_form->occurrences);
    EXPECT_EQ(DrawnRows(plan.delivery, plan.seed, plan.first_view, batch),
              BytesOf(expected->batch));
    return true;
  }

  const std::shared_ptr<HeapBufferPool> pool_ =
      std::make_shared<HeapBufferPool>();
  std::shared_ptr<FakeStore> store_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(RowsFetchTest, RowsAreTheServersBatch) {
  std::vector<FetchPlan> plans = {PlanOf(1), PlanOf(50), PlanOf(4096),
                                  PlanOf(300), PlanOf(300)};
  plans[3].delivery.image.reset();
  plans[3].delivery.strokes = StrokesSpec{};
  plans[3].delivery.strokes->max_len = 12;
  plans[3].delivery.strokes->ragged = true;
  plans[3].delivery.strokes->too_long = TooLong::kDrop;
  plans[4].delivery.augment = AugmentSpec{};
  plans[4].delivery.augment->rotation = {-20, 20};
  plans[4].delivery.views = 2;
  plans[4].seed = 5;
  plans[4].epoch = 3;
  plans[4].first_view = 1;
  for (const FetchPlan& plan : plans) EXPECT_TRUE(ExpectSame(plan));
}

TEST_F(RowsFetchTest, RowsTakeLittleMemory) {
  FetchPlan plan = PlanOf(256);
  plan.delivery.image = ImageSpec{128, 128};
  const auto fetched = Fetch(plan, Codec::kStrokes);
  ASSERT_TRUE(fetched.ok()) << fetched.status();
  EXPECT_LT(fetched->batch.buffer->size(), fetched->batch.byte_size / 16);
}

TEST_F(RowsFetchTest,
       DrawingsThatAreLongerThanUsualComeAsRowsTooOfWhateverNumber) {
  // Twice as long as what memory is taken for at first.
  store_->Lengthen(0, 600);
  for (const size_t drawings : {1, 50, 1000}) {
    FetchPlan plan = PlanOf(drawings);
    plan.delivery.image = ImageSpec{64, 64};
    EXPECT_TRUE(ExpectSame(plan)) << drawings;
  }
}

TEST_F(RowsFetchTest, WhatIsLongerThanItsTensorsComesAsTensors) {
  store_->Lengthen(0, 2000);
  FetchPlan plan = PlanOf(500);
  plan.delivery.image = ImageSpec{8, 8};
  EXPECT_FALSE(ExpectSame(plan));
  // Also where that is known before anything is read.
  plan = PlanOf(4096);
  plan.delivery.image = ImageSpec{4, 4};
  EXPECT_FALSE(ExpectSame(plan));
}

TEST_F(RowsFetchTest, DamageIsNamedOrCounted) {
  store_->Damage(14);
  FetchPlan plan = PlanOf(300);
  const absl::Status status = Fetch(plan, Codec::kStrokes).status();
  EXPECT_EQ(status, Fetch(plan, Codec::kNone).status());
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("14"));
  plan.delivery.on_corrupt = OnCorrupt::kSkip;
  EXPECT_TRUE(ExpectSame(plan));
  EXPECT_EQ(Fetch(plan, Codec::kStrokes)->batch.bad, 1U);
}

}  // namespace
}  // namespace inkstream::batch
