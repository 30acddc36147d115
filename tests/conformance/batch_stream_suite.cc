#include "tests/conformance/batch_stream_suite.h"

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/order/epoch_order.h"
#include "server/order/step_schedule.h"
#include "server/store/store_writer.h"

namespace inkstream::conformance {
namespace {

Drawing MakeDrawing(uint64_t i) {
  Drawing drawing = inkstream::testing::FakeStore::MakeDrawing(i);
  // A second stroke, so that neighbours differ by more than a row.
  drawing.x.insert(drawing.x.end(), {10, static_cast<float>(i * 7 % 256)});
  drawing.y.insert(drawing.y.end(), {250, static_cast<float>(i * 13 % 256)});
  drawing.stroke_ends.push_back(4);
  const char* const words[] = {"cat", "dog", "The Eiffel Tower"};
  if (i % 11 != 0) {
    drawing.word = words[i % 3];
  }
  if (i % 5 != 0) {
    drawing.countrycode = i % 2 == 0 ? "DE" : "JP";
  }
  if (i % 6 != 0) {
    drawing.timestamp =
        Timestamp{static_cast<int64_t>(1'489'000'000'000'000 + i), 0};
  }
  if (i % 4 != 0) {
    drawing.recognized = i % 2 == 1;
  }
  drawing.key_id = static_cast<int64_t>(4'500'000'000'000'000 + i);
  return drawing;
}

std::string TemporaryDirectory() {
  std::string name =
      (std::filesystem::temp_directory_path() / "inkstream-XXXXXX").string();
  return mkdtemp(name.data()) == nullptr ? "" : name;
}

}  // namespace

void BatchStreamSuite::SetUp() {
  directory_ = TemporaryDirectory();
  ASSERT_FALSE(directory_.empty());
  const std::string path = directory_ + "/drawings.ink";
  {
    auto writer = store::StoreWriter::Create(
        path, {.name = "drawings", .splits = {{"train", 0.8}, {"valid", 0.2}}});
    ASSERT_TRUE(writer.ok()) << writer.status();
    std::vector<Drawing> drawings;
    for (uint64_t i = 0; i < kDrawings; ++i) {
      drawings.push_back(MakeDrawing(i));
    }
    ASSERT_TRUE((*writer)->Append(std::move(drawings)).ok());
    const auto fingerprint = (*writer)->Finish();
    ASSERT_TRUE(fingerprint.ok()) << fingerprint.status();
  }
  auto store = store::StoreReader::Open(path);
  ASSERT_TRUE(store.ok()) << store.status();
  store_ = *std::move(store);

  batch::EngineOptions options;
  options.workers = 2;
  options.batch_memory = 64U << 20U;
  options.limits.max_batch_size = 512;
  options.limits.max_fetch_indices = 64;
  options.limits.max_image_side = 256;
  auto engine = batch::Engine::Create(options);
  ASSERT_TRUE(engine.ok()) << engine.status();
  engine_ = *std::move(engine);
  ASSERT_TRUE(engine_->AddDataset("drawings", store_).ok());
  transport_ = GetParam().make();
  const absl::Status started = transport_->Start(engine_.get());
  ASSERT_TRUE(started.ok()) << started;
}

void BatchStreamSuite::TearDown() {
  transport_.reset();
  engine_.reset();
  store_.reset();
  std::error_code ignored;  // a directory left in /tmp fails no test
  std::filesystem::remove_all(directory_, ignored);
}

void BatchStreamSuite::ServeFake(
    std::shared_ptr<inkstream::testing::FakeStore> store) {
  const absl::Status added = engine_->AddDataset("fake", std::move(store));
  ASSERT_TRUE(added.ok()) << added;
}

ClientOptions BatchStreamSuite::Options() {
  ClientOptions options;
  options.stall_timeout = absl::Seconds(30);
  options.failover_timeout = absl::ZeroDuration();
  return options;
}

std::shared_ptr<Client> BatchStreamSuite::Connect(
    const ClientOptions& options) {
  auto client = Client::Connect({transport_->target()}, options);
  EXPECT_TRUE(client.ok()) << client.status();
  return *std::move(client);
}

std::unique_ptr<Stream> BatchStreamSuite::Open(const Plan& plan,
                                               const ClientOptions& options) {
  auto stream = Connect(options)->Stream(Coded(plan));
  EXPECT_TRUE(stream.ok()) << stream.status();
  return *std::move(stream);
}

std::vector<Batch> BatchStreamSuite::ReadAll(const Plan& plan,
                                             const ClientOptions& options) {
  const std::unique_ptr<Stream> stream = Open(plan, options);
  std::vector<Batch> batches;
  for (;;) {
    auto batch = stream->Next();
    EXPECT_TRUE(batch.ok()) << batch.status();
    if (!batch.ok() || !batch->has_value()) {
      return batches;
    }
    batches.push_back(**std::move(batch));
  }
}

Plan BatchStreamSuite::Coded(Plan plan) {
  if (plan.delivery.codec == Codec::kAuto) {
    plan.delivery.codec = GetParam().codec;
  }
  return plan;
}

Plan BatchStreamSuite::IndexPlan(uint32_t batch_size) {
  Plan plan;
  plan.dataset = "drawings";
  plan.delivery.batch_size = batch_size;
  plan.delivery.columns = {"label"};
  return plan;
}

std::vector<Row> BatchStreamSuite::RowsOf(const Batch& batch) {
  const auto index = batch.Values<int64_t>("index");
  const auto valid = batch.Values<uint8_t>("valid");
  EXPECT_TRUE(index.ok()) << index.status();
  EXPECT_TRUE(valid.ok()) << valid.status();
  EXPECT_EQ(index->size(), valid->size());
  std::vector<Row> rows;
  for (size_t i = 0; i < index->size(); ++i) {
    rows.push_back({(*index)[i], (*valid)[i] != 0});
  }
  return rows;
}

std::vector<BatchStreamSuite::Expected> BatchStreamSuite::ExpectedOf(
    const Plan& plan) const {
  std::vector<int64_t> view;
  for (uint64_t i = 0; i < store_->size(); ++i) {
    bool in_split = plan.view.split.empty();
    const std::vector<store::SplitInfo>& splits = store_->info().splits;
    for (size_t s = 0; s < splits.size(); ++s) {
      in_split |= splits[s].name == plan.view.split && store_->InSplit(s, i);
    }
    if (in_split) {
      view.push_back(static_cast<int64_t>(i));
    }
  }
  order::EpochPosition start;
  if (plan.start.has_value()) {
    start = {plan.start->epoch, plan.start->position};
  }
  const auto schedule =
      order::StepSchedule::Create(view.size(), plan.delivery, start);
  EXPECT_TRUE(schedule.ok()) << schedule.status();
  order::StepSchedule::Walker walker = schedule->Walk();
  std::vector<Expected> expected;
  while (const std::optional<order::Step> step = walker.Next()) {
    const auto order =
        order::EpochOrder::Create(plan.order, view.size(), step->epoch);
    Expected batch;
    for (uint32_t i = 0; i < step->rows; ++i) {
      const uint64_t position = (step->first + i) % view.size();
      batch.rows.push_back(
          {view[order->RankAt(position)], i < step->valid_rows});
    }
    batch.epoch = step->after.epoch;
    batch.position = step->after.position;
    expected.push_back(std::move(batch));
  }
  return expected;
}

void BatchStreamSuite::ExpectOrder(const Plan& plan) {
  const std::vector<Expected> expected = ExpectedOf(plan);
  const std::vector<Batch> batches = ReadAll(plan);
  ASSERT_EQ(batches.size(), expected.size());
  for (size_t i = 0; i < batches.size(); ++i) {
    SCOPED_TRACE(absl::StrCat("batch ", i));
    ASSERT_EQ(RowsOf(batches[i]), expected[i].rows);
    ASSERT_EQ(batches[i].sequence(), i);
    ASSERT_EQ(batches[i].cursor()->epoch, expected[i].epoch);
    ASSERT_EQ(batches[i].cursor()->position, expected[i].position);
    ASSERT_EQ(batches[i].cursor()->fingerprint, store_->info().fingerprint);
    ASSERT_EQ(batches[i].cursor()->seed, plan.order.seed);
  }
}

}  // namespace inkstream::conformance
