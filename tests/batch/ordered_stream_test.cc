#include "server/batch/ordered_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "server/base/status_reason.h"
#include "server/batch/engine.h"
#include "server/order/epoch_order.h"
#include "tests/support/batch_puller.h"
#include "tests/support/fake_store.h"
#include "tests/support/heap_buffer_pool.h"

namespace inkstream::batch {
namespace {

using testing::BatchPuller;
using testing::BytesOf;
using testing::FakeStore;
using ::testing::HasSubstr;
using testing::HeapBufferPool;
using testing::TensorOf;

class OrderedStreamTest : public ::testing::Test {
 protected:
  void Serve(uint64_t drawings, int workers = 2) {
    EngineOptions options;
    options.workers = workers;
    options.batch_memory = 256U << 20U;
    engine_ = *Engine::Create(options);
    store_ = std::make_shared<FakeStore>(drawings);
    ASSERT_TRUE(engine_->AddDataset("fake", store_).ok());
  }

  BatchPuller Open(const Plan& plan) {
    auto stream = engine_->OpenStream(plan, engine_->Arbitrate(pool_));
    EXPECT_TRUE(stream.ok()) << stream.status();
    return BatchPuller(*std::move(stream));
  }

  static Plan SmallPlan() {
    Plan plan;
    plan.delivery.batch_size = 16;
    plan.delivery.image = ImageSpec{8, 8};
    plan.delivery.columns = {"label",     "word",       "countrycode",
                             "timestamp", "recognized", "key_id"};
    return plan;
  }

  const std::shared_ptr<HeapBufferPool> pool_ =
      std::make_shared<HeapBufferPool>();
  std::shared_ptr<FakeStore> store_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(OrderedStreamTest, RowsAreTheDrawingsThatTheOrderNames) {
  Serve(100);
  Plan plan = SmallPlan();
  plan.order.seed = 5;
  plan.delivery.epochs = 2;
  std::vector<FinishedBatch> batches = Open(plan).All();
  ASSERT_EQ(batches.size(), 12U);
  for (uint64_t b = 0; b < batches.size(); ++b) {
    const uint64_t epoch = b / 6;
    const uint64_t step = b % 6;
    const auto order = *order::EpochOrder::Create(plan.order, 100, epoch);
    EXPECT_EQ(batches[b].epoch, epoch);
    EXPECT_EQ(batches[b].step, step);
    EXPECT_EQ(batches[b].sequence, b);
    const std::vector<int64_t> index = TensorOf<int64_t>(batches[b], "index");
    ASSERT_EQ(index.size(), 16U);
    for (uint64_t row = 0; row < 16; ++row) {
      ASSERT_EQ(index[row], order.RankAt(step * 16 + row));
    }
  }
}

TEST_F(OrderedStreamTest, EveryTensorTellsTheTruthAboutItsRow) {
  Serve(100);
  Plan plan = SmallPlan();
  plan.delivery.ignore_index = -7;
  auto rasterizer = *raster::Rasterizer::Create(*plan.delivery.image);
  for (const FinishedBatch& batch : Open(plan).All()) {
    const auto index = TensorOf<int64_t>(batch, "index");
    const auto image = TensorOf<uint8_t>(batch, "image");
    for (size_t row = 0; row < index.size(); ++row) {
      const int64_t i = index[row];
      const int32_t label = store_->Label(i);
      EXPECT_EQ(TensorOf<int64_t>(batch, "label")[row], label < 0 ? -7 : label);
      EXPECT_EQ(TensorOf<int64_t>(batch, "word")[row], label);
      EXPECT_EQ(TensorOf<int64_t>(batch, "countrycode")[row], i % 4 - 1);
      EXPECT_EQ(TensorOf<int64_t>(batch, "recognized")[row], i % 3 - 1);
      EXPECT_EQ(TensorOf<int64_t>(batch, "key_id")[row],
                i % 7 == 6 ? -1 : 1000 + i);
      EXPECT_EQ(TensorOf<int64_t>(batch, "timestamp")[row],
                i % 5 == 4 ? -1 : 1'489'000'000'000'000 + i);
      EXPECT_EQ(TensorOf<uint8_t>(batch, "valid")[row], 1);
      std::vector<uint8_t> expected(64);
      rasterizer->Draw(FakeStore::MakeDrawing(i).strokes(), expected.data());
      EXPECT_TRUE(std::equal(expected.begin(), expected.end(),
                             image.begin() + 64 * row));
    }
  }
}

TEST_F(OrderedStreamTest, TensorsAreAlignedAndGapsAreZero) {
  Serve(100);
  Plan plan = SmallPlan();
  plan.delivery.batch_size = 7;
  plan.delivery.image = ImageSpec{5, 3};
  BatchPuller stream = Open(plan);
  TakeResult taken = stream.Next();
  const auto& batch = std::get<FinishedBatch>(taken);
  uint64_t end = 0;
  for (const TensorInfo& tensor : batch.tensors) {
    EXPECT_EQ(tensor.offset % kTensorAlignment, 0U) << tensor.name;
    for (uint64_t i = end; i < tensor.offset; ++i) {
      ASSERT_EQ(batch.buffer->data()[i], 0) << tensor.name;
    }
    end = tensor.offset + tensor.length;
  }
  for (uint64_t i = end; i < batch.byte_size; ++i) {
    ASSERT_EQ(batch.buffer->data()[i], 0);
  }
}

TEST_F(OrderedStreamTest, TheSameBytesWhateverTheNumberOfWorkers) {
  std::vector<std::string> seen;
  for (const int workers : {1, 2, 5}) {
    Serve(500, workers);
    Plan plan = SmallPlan();
    plan.delivery.batch_size = 64;
    plan.delivery.tail = Tail::kPartial;
    BatchPuller stream = Open(plan);
    ASSERT_TRUE(stream->Grant(static_cast<uint32_t>(workers)).ok());
    std::string bytes;
    for (const FinishedBatch& batch : stream.All()) bytes += BytesOf(batch);
    seen.push_back(bytes);
    stream.Close();
    engine_.reset();
  }
  EXPECT_EQ(seen[0], seen[1]);
  EXPECT_EQ(seen[0], seen[2]);
  EXPECT_GT(seen[0].size(), 500U * 64);
}

TEST_F(OrderedStreamTest, TailsGiveEveryRankTheSameNumberOfSteps) {
  Serve(50);
  for (const Tail tail : {Tail::kDrop, Tail::kPartial, Tail::kPad}) {
    std::set<int64_t> valid_drawings;
    size_t valid_rows = 0;
    std::vector<size_t> steps;
    for (const uint32_t rank : {0U, 1U}) {
      Plan plan = SmallPlan();
      plan.delivery.tail = tail;
      plan.delivery.world = 2;
      plan.delivery.rank = rank;
      const std::vector<FinishedBatch> batches = Open(plan).All();
      steps.push_back(batches.size());
      for (const FinishedBatch& batch : batches) {
        const auto index = TensorOf<int64_t>(batch, "index");
        const auto valid = TensorOf<uint8_t>(batch, "valid");
        ASSERT_GT(index.size(), 0U);
        if (tail != Tail::kPartial) {
          EXPECT_EQ(index.size(), 16U);
        }
        for (size_t row = 0; row < index.size(); ++row) {
          EXPECT_LT(index[row], 50);
          if (valid[row] == 0) continue;
          ++valid_rows;
          valid_drawings.insert(index[row]);
        }
      }
      EXPECT_EQ(batches.back().after, (order::EpochPosition{1, 0}));
    }
    EXPECT_EQ(steps[0], steps[1]);
    EXPECT_EQ(valid_rows, valid_drawings.size()) << "a drawing came twice";
    EXPECT_EQ(valid_drawings.size(), tail == Tail::kDrop ? 32U : 50U);
  }
}

TEST_F(OrderedStreamTest, ACursorGoesOnExactlyWhereABatchEnded) {
  Serve(200);
  Plan plan = SmallPlan();
  plan.delivery.epochs = 2;
  BatchPuller whole = Open(plan);
  const Cursor start = whole->facts().start;
  const std::vector<FinishedBatch> batches = whole.All();
  for (const size_t cut : {size_t{0}, size_t{4}, size_t{11}, size_t{20}}) {
    Cursor cursor = start;
    cursor.epoch = batches[cut].after.epoch;
    cursor.position = batches[cut].after.position;
    Plan resumed = plan;
    resumed.start = cursor;
    const std::vector<FinishedBatch> rest = Open(resumed).All();
    ASSERT_EQ(rest.size(), batches.size() - cut - 1);
    for (size_t i = 0; i < rest.size(); ++i) {
      ASSERT_EQ(BytesOf(rest[i]), BytesOf(batches[cut + 1 + i]));
    }
  }
}

TEST_F(OrderedStreamTest, EndsAreToldWithoutAnotherCredit) {
  Serve(32);
  Plan plan = SmallPlan();
  BatchPuller stream = Open(plan);
  ASSERT_TRUE(stream->Grant(2).ok());
  EXPECT_TRUE(std::holds_alternative<FinishedBatch>(
      stream.Wait(std::chrono::seconds(10))));
  EXPECT_TRUE(std::holds_alternative<FinishedBatch>(
      stream.Wait(std::chrono::seconds(10))));
  const TakeResult end = stream->TryTake();
  ASSERT_TRUE(std::holds_alternative<Ended>(end));
  EXPECT_EQ(std::get<Ended>(end).reason, EndReason::kEpochsDone);
  EXPECT_EQ(std::get<Ended>(end).place, (order::EpochPosition{1, 0}));

  plan.delivery.max_batches = 1;
  TakeResult last;
  EXPECT_EQ(Open(plan).All(&last).size(), 1U);
  EXPECT_EQ(std::get<Ended>(last).reason, EndReason::kMaxBatches);
  EXPECT_EQ(std::get<Ended>(last).place, (order::EpochPosition{0, 16}));
}

TEST_F(OrderedStreamTest, NothingIsLaidOutWithoutACredit) {
  Serve(100);
  BatchPuller stream = Open(SmallPlan());
  EXPECT_TRUE(std::holds_alternative<NotReady>(
      stream.Wait(std::chrono::milliseconds(50))));
  EXPECT_EQ(store_->reads(), 0U);
  EXPECT_EQ(pool_->in_use(), 0U);
  EXPECT_GT(stream->wait_times().client, 0.03);
}

TEST_F(OrderedStreamTest, MoreCreditsThanTheLimitAreRefused) {
  Serve(1000);
  BatchPuller stream = Open(SmallPlan());
  ASSERT_TRUE(stream->Grant(8).ok());
  const absl::Status status = stream->Grant(1);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("1 more with 8 still open; at most 8"));
}

TEST_F(OrderedStreamTest, ADamagedRecordEndsTheStreamAfterTheBatchesBefore) {
  Serve(96);
  Plan plan = SmallPlan();
  plan.order.shuffle = ShuffleKind::kNone;
  store_->Damage(40);
  TakeResult last;
  BatchPuller stream = Open(plan);
  ASSERT_TRUE(stream->Grant(6).ok());
  EXPECT_EQ(stream.All(&last).size(), 2U);
  ASSERT_TRUE(std::holds_alternative<absl::Status>(last));
  const absl::Status status = std::get<absl::Status>(last);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("drawing 40"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("/fake/store.ink"));
}

TEST_F(OrderedStreamTest, ADamagedRecordThatIsSkippedKeepsItsPlaceBlank) {
  Serve(96);
  Plan plan = SmallPlan();
  plan.order.shuffle = ShuffleKind::kNone;
  plan.delivery.on_corrupt = OnCorrupt::kSkip;
  const std::vector<FinishedBatch> whole = Open(plan).All();
  store_->Damage(40);
  store_->Damage(47);
  TakeResult last;
  const std::vector<FinishedBatch> cut = Open(plan).All(&last);
  EXPECT_TRUE(std::holds_alternative<Ended>(last));
  ASSERT_EQ(cut.size(), whole.size());
  for (size_t b = 0; b < cut.size(); ++b) {
    EXPECT_EQ(cut[b].bad, b == 2 ? 2U : 0U);
    EXPECT_EQ(cut[b].after, whole[b].after);
    const auto image = TensorOf<uint8_t>(cut[b], "image");
    const auto sound = TensorOf<uint8_t>(whole[b], "image");
    for (size_t row = 0; row < 16; ++row) {
      const size_t index = 16 * b + row;
      const bool damaged = index == 40 || index == 47;
      EXPECT_EQ(TensorOf<uint8_t>(cut[b], "valid")[row], damaged ? 0 : 1);
      EXPECT_EQ(TensorOf<int64_t>(cut[b], "index")[row], index);
      EXPECT_EQ(TensorOf<int64_t>(cut[b], "label")[row],
                TensorOf<int64_t>(whole[b], "label")[row]);
      for (size_t i = 64 * row; i < 64 * (row + 1); ++i) {
        ASSERT_EQ(image[i], damaged ? 0 : sound[i]);
      }
    }
  }
}

TEST_F(OrderedStreamTest, MoreDamageThanAllowedEndsTheStream) {
  Serve(96);
  Plan plan = SmallPlan();
  plan.order.shuffle = ShuffleKind::kNone;
  plan.delivery.on_corrupt = OnCorrupt::kSkip;
  plan.delivery.max_bad = 2;
  for (const uint64_t index : {3, 20, 40}) store_->Damage(index);
  TakeResult last;
  EXPECT_EQ(Open(plan).All(&last).size(), 2U);
  ASSERT_TRUE(std::holds_alternative<absl::Status>(last));
  const absl::Status status = std::get<absl::Status>(last);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("drawing 40 of /fake/store.ink"));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("3 damaged drawings since the stream was opened, more "
                        "than delivery.max_bad = 2"));
}

TEST_F(OrderedStreamTest, CancellingGivesEveryBufferBack) {
  Serve(1000);
  store_->SlowDown(200);
  {
    BatchPuller stream = Open(SmallPlan());
    ASSERT_TRUE(stream->Grant(8).ok());
    EXPECT_TRUE(std::holds_alternative<FinishedBatch>(
        stream.Wait(std::chrono::seconds(10))));
    stream->Cancel();
    stream->Cancel();
    const TakeResult taken = stream->TryTake();
    EXPECT_EQ(std::get<absl::Status>(taken).code(),
              absl::StatusCode::kCancelled);
  }
  for (int i = 0; i < 1000 && pool_->in_use() > 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(pool_->in_use(), 0U);
  EXPECT_EQ(engine_->open_streams(), 0U);
}

TEST_F(OrderedStreamTest, ASmallStreamIsNotStarvedByLargeOnes) {
  Serve(100'000, /*workers=*/1);
  store_->SlowDown(100);
  Plan large = SmallPlan();
  large.delivery.batch_size = 4096;
  std::vector<BatchPuller> hogs;
  for (int i = 0; i < 4; ++i) {
    hogs.push_back(Open(large));
    ASSERT_TRUE(hogs.back()->Grant(8).ok());
  }
  Plan small = SmallPlan();
  small.delivery.batch_size = 8;
  small.delivery.max_batches = 3;
  BatchPuller stream = Open(small);
  ASSERT_TRUE(stream->Grant(3).ok());
  EXPECT_EQ(stream.All().size(), 3U);
  // The hogs would have needed 32 batches of 4096 drawings first.
  EXPECT_LT(store_->reads(), 40'000U);
  engine_->Stop();
}

TEST_F(OrderedStreamTest, SlowRecordsAreAskedForAhead) {
  Serve(1000);
  store_->SlowDown(20);
  Plan plan = SmallPlan();
  plan.delivery.max_batches = 4;
  Open(plan).All();
  EXPECT_GT(store_->will_need_calls(), 0U);
}

TEST_F(OrderedStreamTest, FastRecordsAreNot) {
  Serve(1000);
  Plan plan = SmallPlan();
  plan.delivery.image.reset();
  plan.delivery.max_batches = 4;
  Open(plan).All();
  EXPECT_EQ(store_->will_need_calls(), 0U);
}

TEST_F(OrderedStreamTest, ManyStreamsAtOnceGiveWhatEachGivesAlone) {
  Serve(300, 4);
  std::vector<std::thread> readers;
  std::vector<std::string> seen(8);
  for (int i = 0; i < 8; ++i) {
    readers.emplace_back([this, i, &seen] {
      Plan plan = SmallPlan();
      plan.order.seed = i % 2;
      plan.delivery.epochs = 3;
      BatchPuller stream = Open(plan);
      for (const FinishedBatch& batch : stream.All()) {
        seen[i] += BytesOf(batch);
      }
    });
  }
  for (std::thread& reader : readers) reader.join();
  for (int i = 2; i < 8; ++i) EXPECT_EQ(seen[i], seen[i % 2]);
  EXPECT_NE(seen[0], seen[1]);
}

}  // namespace
}  // namespace inkstream::batch
