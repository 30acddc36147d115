// Streams of rows: what a client makes of them is what the server would have
// drawn, batch for batch.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "server/batch/engine.h"
#include "tests/support/batch_puller.h"
#include "tests/support/drawn_rows.h"
#include "tests/support/fake_store.h"
#include "tests/support/heap_buffer_pool.h"

namespace inkstream::batch {
namespace {

using testing::BatchPuller;
using testing::BytesOf;
using testing::FakeStore;
using ::testing::HasSubstr;
using testing::HeapBufferPool;

class RowsStreamTest : public ::testing::Test {
 protected:
  explicit RowsStreamTest(uint64_t drawings = 2000) {
    EngineOptions options;
    options.workers = 3;
    options.batch_memory = 64U << 20U;
    engine_ = *Engine::Create(options);
    store_ = std::make_shared<FakeStore>(drawings);
    store_->DrawSketches();
    EXPECT_TRUE(engine_->AddDataset("fake", store_).ok());
  }

  static Plan SmallPlan(uint32_t batch_size = 50) {
    Plan plan;
    plan.delivery.batch_size = batch_size;
    plan.delivery.image = ImageSpec{28, 28};
    plan.delivery.columns = {"label", "key_id"};
    plan.delivery.tail = Tail::kPartial;
    return plan;
  }

  BatchPuller Open(const Plan& plan, Codec codec) {
    Plan coded = plan;
    coded.delivery.codec = codec;
    auto stream = engine_->OpenStream(coded, engine_->Arbitrate(pool_));
    EXPECT_TRUE(stream.ok()) << stream.status();
    return BatchPuller(*std::move(stream));
  }

  // All batches, at most `credits` of them ahead.
  std::vector<FinishedBatch> Read(const Plan& plan, Codec codec,
                                  uint32_t credits = 8,
                                  TakeResult* last = nullptr) {
    BatchPuller stream = Open(plan, codec);
    std::vector<FinishedBatch> batches;
    for (;;) {
      if (stream->credits() <= credits / 2) {  // as clients do
        EXPECT_TRUE(stream->Grant(credits - stream->credits()).ok());
      }
      TakeResult taken = stream.Next();
      auto* const batch = std::get_if<FinishedBatch>(&taken);
      if (batch == nullptr) {
        if (last != nullptr) *last = std::move(taken);
        return batches;
      }
      batches.push_back(std::move(*batch));
    }
  }

  // What a client makes of a batch.
  std::string Drawn(const Plan& plan, const FinishedBatch& batch) {
    if (!batch.rows_form.has_value()) return BytesOf(batch);
    ++as_rows_;
    return testing::DrawnRows(plan.delivery, plan.order.seed, /*first_view=*/0,
                              batch);
  }

  void ExpectSame(const Plan& plan, const std::vector<FinishedBatch>& coded) {
    const std::vector<FinishedBatch> expected = Read(plan, Codec::kNone);
    ASSERT_EQ(coded.size(), expected.size());
    for (size_t i = 0; i < coded.size(); ++i) {
      EXPECT_EQ(coded[i].sequence, i);
      EXPECT_EQ(coded[i].step, expected[i].step);
      EXPECT_EQ(coded[i].epoch, expected[i].epoch);
      EXPECT_EQ(coded[i].after, expected[i].after);
      EXPECT_EQ(coded[i].bad, expected[i].bad);
      ASSERT_EQ(Drawn(plan, coded[i]), BytesOf(expected[i])) << i;
    }
  }

  const std::shared_ptr<HeapBufferPool> pool_ =
      std::make_shared<HeapBufferPool>();
  std::shared_ptr<FakeStore> store_;
  std::unique_ptr<Engine> engine_;
  int as_rows_ = 0;
};

TEST_F(RowsStreamTest, ABatchOfRowsIsTheServersBatch) {
  std::vector<Plan> plans(5, SmallPlan());
  plans[1].delivery.image->dtype = DType::kFloat32;
  plans[1].delivery.strokes = StrokesSpec{};
  plans[1].delivery.strokes->max_len = 40;
  plans[2].delivery.image.reset();
  plans[2].delivery.strokes = StrokesSpec{};
  plans[2].delivery.strokes->max_len = 12;
  plans[2].delivery.strokes->ragged = true;
  plans[2].delivery.strokes->too_long = TooLong::kDrop;
  plans[3].delivery.augment = AugmentSpec{};
  plans[3].delivery.augment->rotation = {-20, 20};
  plans[3].delivery.views = 2;
  plans[3].order.sampling.kind = SamplingKind::kBalanced;
  plans[3].order.sampling.alpha = 0.5;
  plans[3].delivery.epochs = 2;
  plans[4].delivery.tail = Tail::kPad;
  plans[4].delivery.batch_size = 77;
  for (const Plan& plan : plans) {
    const std::vector<FinishedBatch> coded = Read(plan, Codec::kStrokes);
    ExpectSame(plan, coded);
    EXPECT_EQ(coded.front().rows_form->occurrences,
              plan.order.sampling.kind == SamplingKind::kBalanced);
  }
  EXPECT_GT(as_rows_, 150);
}

TEST_F(RowsStreamTest, SmallBatchesShareABufferAndTakeLittleMemory) {
  const Plan plan = SmallPlan(20);
  const std::vector<FinishedBatch> batches =
      Read(plan, Codec::kStrokes, /*credits=*/64);
  std::set<const Buffer*> buffers;
  uint64_t tensors = 0;
  for (const FinishedBatch& batch : batches) {
    buffers.insert(batch.buffer.get());
    tensors += batch.byte_size;
  }
  ASSERT_EQ(batches.size(), 100U);
  EXPECT_LT(buffers.size(), 20U);
  EXPECT_LT(pool_->in_use(), tensors / 4);
}

TEST_F(RowsStreamTest, AMebibyteOfRowsMayBeAhead) {
  EXPECT_EQ(Open(SmallPlan(1), Codec::kStrokes)->facts().credit_window, 256U);
  EXPECT_EQ(Open(SmallPlan(100), Codec::kStrokes)->facts().credit_window, 66U);
  Plan plan = SmallPlan(65536);
  plan.delivery.image = ImageSpec{8, 8};
  EXPECT_EQ(Open(plan, Codec::kStrokes)->facts().credit_window, 8U);
  EXPECT_EQ(Open(plan, Codec::kNone)->facts().credit_window, 8U);
}

TEST_F(RowsStreamTest, DrawingsThatGetLongerOnTheWayLoseNoBatch) {
  // Ten times as long as those that the memory was taken by.
  store_->Lengthen(700, 200);
  for (const uint32_t batch_size : {1U, 30U, 400U}) {
    Plan plan = SmallPlan(batch_size);
    plan.order.shuffle = ShuffleKind::kNone;
    for (const uint32_t credits : {1U, 8U, 60U}) {
      if (credits > Open(plan, Codec::kStrokes)->facts().credit_window) break;
      ExpectSame(plan, Read(plan, Codec::kStrokes, credits));
    }
  }
}

TEST_F(RowsStreamTest, WhatIsLongerThanItsTensorsComesAsTensors) {
  store_->Lengthen(500, 2000);
  Plan plan = SmallPlan(100);
  plan.delivery.image = ImageSpec{8, 8};
  plan.order.shuffle = ShuffleKind::kNone;
  const std::vector<FinishedBatch> batches = Read(plan, Codec::kStrokes);
  ExpectSame(plan, batches);
  EXPECT_TRUE(batches.front().rows_form.has_value());
  EXPECT_FALSE(batches.back().rows_form.has_value());
  // Nothing takes more than its tensors, and a little.
  for (const FinishedBatch& batch : batches) {
    EXPECT_LE(batch.wire_bytes(), batch.byte_size + rows::kMostBeyondTensors);
  }
}

TEST_F(RowsStreamTest, ALargeBatchIsSeveralPieces) {
  ExpectSame(SmallPlan(2000), Read(SmallPlan(2000), Codec::kStrokes));
  // Of a store that has to be waited for, a small one is, too.
  store_->SlowDown(20);
  ExpectSame(SmallPlan(200), Read(SmallPlan(200), Codec::kStrokes));
}

TEST_F(RowsStreamTest, DamageEndsTheStreamBehindTheBatchesBeforeIt) {
  store_->Damage(1234);
  Plan plan = SmallPlan();
  plan.order.shuffle = ShuffleKind::kNone;
  TakeResult last = NotReady{};
  const std::vector<FinishedBatch> batches =
      Read(plan, Codec::kStrokes, 8, &last);
  EXPECT_EQ(batches.size(), 1234U / 50);
  const auto* const status = std::get_if<absl::Status>(&last);
  ASSERT_NE(status, nullptr);
  EXPECT_EQ(status->code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status->message()), HasSubstr("1234"));
}

TEST_F(RowsStreamTest, SkippedDamageKeepsItsRowAndIsCounted) {
  store_->Damage(7);
  store_->Damage(1234);
  Plan plan = SmallPlan();
  plan.delivery.on_corrupt = OnCorrupt::kSkip;
  const std::vector<FinishedBatch> batches = Read(plan, Codec::kStrokes);
  ExpectSame(plan, batches);
  uint32_t bad = 0;
  for (const FinishedBatch& batch : batches) bad += batch.bad;
  EXPECT_EQ(bad, 2U);
  plan.delivery.max_bad = 1;
  TakeResult last = NotReady{};
  EXPECT_LT(Read(plan, Codec::kStrokes, 8, &last).size(), batches.size());
  EXPECT_EQ(std::get<absl::Status>(last).code(), absl::StatusCode::kDataLoss);
}

TEST_F(RowsStreamTest, AStreamThatIsLeftInMidRunGivesItsMemoryBack) {
  for (int i = 0; i < 20; ++i) {
    BatchPuller stream = Open(SmallPlan(20), Codec::kStrokes);
    ASSERT_TRUE(stream->Grant(60).ok());
    if (i % 2 == 0) {
      EXPECT_TRUE(std::holds_alternative<FinishedBatch>(stream.Next()));
    }
    stream.Close();
  }
  while (pool_->in_use() > 0) std::this_thread::yield();
}

}  // namespace
}  // namespace inkstream::batch
