// What the batches hold, however they were cut and whoever asks.

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/conformance/batch_stream_suite.h"

namespace inkstream::conformance {
namespace {

Plan WithEverything(Plan plan, uint32_t side) {
  plan.delivery.image = ImageSpec{side, side};
  plan.delivery.columns = {"label",     "word",       "countrycode",
                           "timestamp", "recognized", "key_id"};
  return plan;
}

void ExpectSameBytes(const std::vector<Batch>& a, const std::vector<Batch>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].tensors(), b[i].tensors());
    ASSERT_EQ(a[i].cursor(), b[i].cursor());
    for (const TensorInfo& info : a[i].tensors()) {
      const auto left = a[i].Find(info.name);
      const auto right = b[i].Find(info.name);
      ASSERT_TRUE(left.ok() && right.ok());
      ASSERT_EQ(left->bytes, right->bytes) << info.name << " of batch " << i;
      ASSERT_EQ(*left->vocabulary, *right->vocabulary);
    }
  }
}

TEST_P(BatchStreamSuite, PartsOfALargeBatchAreReassembled) {
  // 256 x 64 x 64 = 1 MiB a batch, in messages of 64 KiB and of 4 MiB.
  const Plan plan = WithEverything(IndexPlan(256), 64);
  ClientOptions small = Options();
  small.max_message_bytes = 64U << 10U;
  const std::vector<Batch> cut = ReadAll(plan, small);
  ASSERT_EQ(cut.size(), 3);
  ASSERT_GT(cut[0].byte_size(), 1U << 20U);
  ExpectSameBytes(cut, ReadAll(plan));
}

TEST_P(BatchStreamSuite, TheBytesAreThoseOfARawStream) {
  std::vector<Plan> plans(8, WithEverything(IndexPlan(70), 32));
  plans[1].delivery.image->dtype = DType::kFloat32;
  plans[1].delivery.image->layout = Layout::kNhwc;
  plans[1].delivery.image->channels = {"ink", "order", "direction"};
  plans[2].delivery.augment = AugmentSpec{};
  plans[2].delivery.augment->rotation = {-20, 20};
  plans[2].delivery.augment->jitter = 2;
  plans[2].delivery.views = 3;
  plans[3].delivery.augment = plans[2].delivery.augment;
  plans[3].order.sampling.kind = SamplingKind::kBalanced;
  plans[3].order.sampling.alpha = 0.5;
  plans[4].delivery.strokes = StrokesSpec{};
  plans[4].delivery.strokes->max_len = 20;
  plans[4].delivery.strokes->ragged = true;
  // Their strokes take more bytes than their pixels.
  plans[5].delivery.image->height = plans[5].delivery.image->width = 2;
  plans[6].delivery.image.reset();
  plans[6].delivery.strokes = StrokesSpec{};
  plans[6].delivery.strokes->max_len = 8;
  plans[6].delivery.strokes->too_long = TooLong::kDrop;
  plans[7].delivery.image.reset();  // nothing to draw
  for (size_t i = 0; i < plans.size(); ++i) {
    SCOPED_TRACE(absl::StrCat("plan ", i));
    const std::vector<Batch> coded = ReadAll(plans[i]);
    plans[i].delivery.codec = Codec::kNone;
    const auto raw = Connect(Options())->Stream(plans[i]);
    ASSERT_TRUE(raw.ok()) << raw.status();
    std::vector<Batch> expected;
    for (;;) {
      auto batch = (*raw)->Next();
      ASSERT_TRUE(batch.ok()) << batch.status();
      if (!batch->has_value()) break;
      expected.push_back(**std::move(batch));
    }
    ASSERT_FALSE(coded.empty());
    ExpectSameBytes(coded, expected);
  }
}

TEST_P(BatchStreamSuite, SmallBatchesAreWholeHoweverTheyTravel) {
  Plan plan = WithEverything(IndexPlan(3), 28);
  plan.delivery.tail = Tail::kPartial;
  ClientOptions options = Options();
  options.read_ahead = 8;
  const std::vector<Batch> several = ReadAll(plan, options);
  options.read_ahead = 1;
  ExpectSameBytes(several, ReadAll(plan, options));
  EXPECT_EQ(several.size(), 334);
}

TEST_P(BatchStreamSuite, AnyNumberOfThreadsDrawsTheSameBytes) {
  Plan plan = WithEverything(IndexPlan(90), 40);
  plan.delivery.tail = Tail::kPartial;
  ClientOptions options = Options();
  options.drawing_threads = 1;
  const std::vector<Batch> one = ReadAll(plan, options);
  options.drawing_threads = 7;
  ExpectSameBytes(ReadAll(plan, options), one);
}

TEST_P(BatchStreamSuite, TwoClientsGetTheSameBytes) {
  Plan plan = WithEverything(IndexPlan(100), 48);
  plan.order.seed = 11;
  const std::unique_ptr<Stream> first = Open(plan);
  const std::unique_ptr<Stream> second = Open(plan);
  std::vector<Batch> a;
  std::vector<Batch> b;
  for (int i = 0; i < 10; ++i) {
    auto left = first->Next();
    auto right = second->Next();
    ASSERT_TRUE(left.ok() && left->has_value()) << left.status();
    ASSERT_TRUE(right.ok() && right->has_value()) << right.status();
    a.push_back(**std::move(left));
    b.push_back(**std::move(right));
  }
  ExpectSameBytes(a, b);
}

TEST_P(BatchStreamSuite, PixelsAreThoseOfRandomAccess) {
  Plan plan = WithEverything(IndexPlan(50), 32);
  const auto client = Connect();
  const std::vector<Batch> batches = ReadAll(plan);
  const Batch& batch = batches.back();
  FetchRequest request;
  request.dataset = "drawings";
  request.image = plan.delivery.image;
  request.codec = GetParam().codec;
  request.columns = plan.delivery.columns;
  for (const Row& row : RowsOf(batch)) {
    request.indices.push_back(row.index);
  }
  const auto fetched = client->Fetch(request);
  ASSERT_TRUE(fetched.ok()) << fetched.status();
  for (const TensorInfo& info : batch.tensors()) {
    ASSERT_EQ(batch.Find(info.name)->bytes, fetched->Find(info.name)->bytes)
        << info.name;
  }
  const auto image = batch.Values<uint8_t>("image");
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_GT(std::count_if(image->begin(), image->end(),
                          [](uint8_t pixel) { return pixel > 128; }),
            1000)
      << "something is drawn";
}

TEST_P(BatchStreamSuite, FetchKeepsOrderAndRepeats) {
  const auto client = Connect();
  FetchRequest request;
  request.dataset = "drawings";
  request.image = ImageSpec{8, 8};
  request.codec = GetParam().codec;
  request.indices = {999, 0, 999, 5};
  const auto by_index = client->Fetch(request);
  ASSERT_TRUE(by_index.ok()) << by_index.status();
  EXPECT_EQ(RowsOf(*by_index), (std::vector<Row>{{999}, {0}, {999}, {5}}));

  request.indices.clear();
  request.key_ids = {4'500'000'000'000'007};
  const auto by_key = client->Fetch(request);
  ASSERT_TRUE(by_key.ok()) << by_key.status();
  EXPECT_EQ(RowsOf(*by_key), std::vector<Row>{{7}});

  // Ranks count in the view: the same as an unshuffled stream.
  Plan plan = IndexPlan(10);
  plan.view.split = "valid";
  plan.order.shuffle = ShuffleKind::kNone;
  request.key_ids.clear();
  request.view = plan.view;
  request.ranks = {0, 9};
  const auto by_rank = client->Fetch(request);
  ASSERT_TRUE(by_rank.ok()) << by_rank.status();
  const std::vector<Row> stream = RowsOf(ReadAll(plan).front());
  EXPECT_EQ(RowsOf(*by_rank), (std::vector<Row>{stream[0], stream[9]}));
}

TEST_P(BatchStreamSuite, ColumnsAreTheStores) {
  Plan plan = WithEverything(IndexPlan(64), 8);
  plan.delivery.image.reset();
  plan.delivery.ignore_index = -7;
  plan.delivery.tail = Tail::kPartial;
  for (const Batch& batch : ReadAll(plan)) {
    const auto label = batch.Values<int64_t>("label");
    const auto key = batch.Values<int64_t>("key_id");
    const auto timestamp = batch.Values<int64_t>("timestamp");
    const auto recognized = batch.Values<int64_t>("recognized");
    const auto word = batch.Values<int64_t>("word");
    ASSERT_TRUE(label.ok() && key.ok() && timestamp.ok() && recognized.ok() &&
                word.ok())
        << label.status() << key.status() << timestamp.status()
        << recognized.status() << word.status();
    const std::vector<std::string>& words = *batch.Find("word")->vocabulary;
    const std::vector<Row> rows = RowsOf(batch);
    for (size_t i = 0; i < rows.size(); ++i) {
      const auto index = static_cast<uint64_t>(rows[i].index);
      const int32_t stored = store_->Label(index);
      ASSERT_EQ((*label)[i], stored < 0 ? -7 : stored);
      ASSERT_EQ((*key)[i], store_->KeyId(index));
      ASSERT_EQ((*recognized)[i], store_->Recognized(index));
      const int64_t micros = store_->TimestampMicros(index);
      ASSERT_EQ((*timestamp)[i], micros == INT64_MIN ? -1 : micros);
      if (stored >= 0) {
        ASSERT_EQ(words[(*word)[i]], store_->info().classes[stored]);
      }
    }
  }
}

TEST_P(BatchStreamSuite, LabelsFollowTheClassesOfTheView) {
  Plan plan = IndexPlan(64);
  plan.view.classes = {"dog", "cat"};
  const std::unique_ptr<Stream> stream = Open(plan);
  EXPECT_THAT(stream->info().vocabulary, ::testing::ElementsAre("dog", "cat"));
  const auto batch = stream->Next();
  ASSERT_TRUE(batch.ok() && batch->has_value()) << batch.status();
  const auto label = (*batch)->Values<int64_t>("label");
  const std::vector<Row> rows = RowsOf(**batch);
  for (size_t i = 0; i < rows.size(); ++i) {
    const int32_t stored = store_->Label(rows[i].index);
    EXPECT_EQ(stream->info().vocabulary[(*label)[i]],
              store_->info().classes[stored]);
  }
}

TEST_P(BatchStreamSuite, DescribeSaysWhatTheStoreHolds) {
  const auto info = Connect()->Describe("drawings", {.split = "valid"});
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->dataset, "drawings");
  EXPECT_EQ(info->fingerprint, store_->info().fingerprint);
  EXPECT_EQ(info->drawings, kDrawings);
  ASSERT_EQ(info->splits.size(), 2);
  EXPECT_EQ(info->splits[1].name, "valid");
  EXPECT_EQ(info->view_drawings, info->splits[1].drawings);
  EXPECT_EQ(info->splits[0].drawings + info->splits[1].drawings, kDrawings);
  EXPECT_EQ(info->classes.size(), 3);
  EXPECT_EQ(info->limits.max_batch_size, 512);
  EXPECT_GT(info->raster_version, 0);
}

}  // namespace
}  // namespace inkstream::conformance
