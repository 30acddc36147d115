// Credits, errors, cancelling, draining.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "inkstream/errors.h"
#include "tests/conformance/batch_stream_suite.h"
#include "tests/support/heap_buffer_pool.h"

namespace inkstream::conformance {
namespace {

using inkstream::testing::FakeStore;
using ::testing::HasSubstr;

// Polls: true as soon as `condition` holds, false if it never does.
bool Eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 1000; ++i) {
    if (condition()) {
      return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

TEST_P(BatchStreamSuite, NothingIsReadBeyondTheCredits) {
  const auto store = std::make_shared<FakeStore>(100'000);
  ServeFake(store);
  Plan plan;
  plan.dataset = "fake";
  plan.delivery.batch_size = 10;
  plan.delivery.image = ImageSpec{8, 8};
  ClientOptions options = Options();
  options.read_ahead = 3;
  const std::unique_ptr<Stream> stream = Open(plan, options);
  for (uint64_t taken = 1; taken <= 20; ++taken) {
    const auto batch = stream->Next();
    ASSERT_TRUE(batch.ok() && batch->has_value()) << batch.status();
    EXPECT_LE(store->reads(), (taken + 3) * 10);
  }
  // It does read as far as it may, and then stops.
  EXPECT_TRUE(Eventually([&] { return store->reads() >= 22 * 10; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_LE(store->reads(), 23 * 10);
}

TEST_P(BatchStreamSuite, CancelInMidStreamFreesTheStream) {
  Plan plan = IndexPlan(16);
  plan.delivery.epochs = std::nullopt;
  plan.delivery.image = ImageSpec{64, 64};
  {
    const std::unique_ptr<Stream> stream = Open(plan);
    for (int i = 0; i < 10; ++i) {
      ASSERT_TRUE(stream->Next().ok());
    }
    EXPECT_EQ(engine_->open_streams(), 1);
    stream->Cancel();
    EXPECT_EQ(stream->Next().status().code(), absl::StatusCode::kCancelled);
  }
  EXPECT_TRUE(Eventually([&] { return engine_->open_streams() == 0; }));
  // And by leaving without a word.
  Open(plan).reset();
  EXPECT_TRUE(Eventually([&] { return engine_->open_streams() == 0; }));
}

TEST_P(BatchStreamSuite, DamagedRecordEndsTheStreamWithItsName) {
  const auto store = std::make_shared<FakeStore>(100);
  store->Damage(37);
  ServeFake(store);
  Plan plan;
  plan.dataset = "fake";
  plan.order.shuffle = ShuffleKind::kNone;
  plan.delivery.batch_size = 10;
  plan.delivery.image = ImageSpec{8, 8};
  const std::unique_ptr<Stream> stream = Open(plan);
  for (int i = 0; i < 3; ++i) {
    const auto batch = stream->Next();
    ASSERT_TRUE(batch.ok() && batch->has_value()) << batch.status();
  }
  const auto batch = stream->Next();
  EXPECT_EQ(batch.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(batch.status().message(), HasSubstr("drawing 37 of /fake"));
  EXPECT_EQ(stream->cursor().position, 30) << "of the last good batch";
}

TEST_P(BatchStreamSuite, WhatCannotBeDrawnEndsTheStreamBehindWhatCan) {
  const auto store = std::make_shared<FakeStore>(1000);
  store->Lengthen(437, 20);
  ServeFake(store);
  Plan plan;
  plan.dataset = "fake";
  plan.order.shuffle = ShuffleKind::kNone;
  plan.delivery.batch_size = 10;
  plan.delivery.strokes = StrokesSpec{};
  plan.delivery.strokes->max_len = 10;
  plan.delivery.strokes->too_long = TooLong::kError;
  const std::unique_ptr<Stream> stream = Open(plan);
  for (int i = 0; i < 43; ++i) {
    const auto batch = stream->Next();
    ASSERT_TRUE(batch.ok() && batch->has_value()) << batch.status();
  }
  for (int i = 0; i < 2; ++i) {
    const auto batch = stream->Next();
    EXPECT_EQ(batch.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(batch.status().message(), HasSubstr("20 points"));
  }
  EXPECT_EQ(stream->cursor().position, 430) << "of the last good batch";
  EXPECT_EQ(stream->stats().reopened, 0U) << "no other server could draw it";
}

// The text that the engine gives is the text that the client reads.
TEST_P(BatchStreamSuite, RefusalsAreTheEnginesOwnWords) {
  const Plan good = IndexPlan(16);
  const auto client = Connect();
  const auto refused = [&](const std::function<void(Plan*)>& spoil,
                           absl::StatusCode code, const std::string& text) {
    Plan plan = good;
    spoil(&plan);
    const auto direct = engine_->OpenStream(
        plan, engine_->Arbitrate(
                  std::make_shared<inkstream::testing::HeapBufferPool>()));
    const auto remote = client->Stream(plan);
    EXPECT_EQ(remote.status().code(), code) << remote.status();
    EXPECT_EQ(remote.status().code(), direct.status().code());
    EXPECT_EQ(remote.status().message(), direct.status().message());
    EXPECT_THAT(remote.status().message(), HasSubstr(text));
  };
  refused([](Plan* p) { p->dataset = "drawing"; }, absl::StatusCode::kNotFound,
          "drawings");
  refused([](Plan* p) { p->view.split = "trian"; }, absl::StatusCode::kNotFound,
          "train");
  refused([](Plan* p) { p->view.classes = {"kat"}; },
          absl::StatusCode::kNotFound, "cat");
  refused([](Plan* p) { p->delivery.columns = {"lable"}; },
          absl::StatusCode::kInvalidArgument, "label");
  refused([](Plan* p) { p->delivery.batch_size = 513; },
          absl::StatusCode::kInvalidArgument, "512");
  refused(
      [](Plan* p) {
        p->delivery.image = ImageSpec{257, 8};
      },
      absl::StatusCode::kInvalidArgument, "256");
  refused([](Plan* p) { p->delivery.world = 100; },
          absl::StatusCode::kInvalidArgument, "1600");
  refused([](Plan* p) { p->delivery.rank = 5; },
          absl::StatusCode::kInvalidArgument, "rank");
  refused([](Plan* p) { p->order.shuffle = ShuffleKind::kWindow; },
          absl::StatusCode::kInvalidArgument, "a window has at least 1");
  refused(
      [](Plan* p) {
        p->start.emplace();
        p->start->version = 9;
      },
      absl::StatusCode::kInvalidArgument, "cursor.version");
}

TEST_P(BatchStreamSuite, DataThatIsNotHereIsSaidSoWithBothFingerprints) {
  Plan plan = IndexPlan(16);
  plan.fingerprint = std::string(64, '0');
  const auto stream = Connect()->Stream(plan);
  // The only server has answered: there is nobody else to ask.
  EXPECT_EQ(stream.status().code(), absl::StatusCode::kFailedPrecondition)
      << stream.status();
  EXPECT_THAT(stream.status().message(), HasSubstr(std::string(64, '0')));
}

TEST_P(BatchStreamSuite, FetchRefusalsNameTheLimit) {
  const auto client = Connect();
  FetchRequest request;
  request.dataset = "drawings";
  request.indices.assign(65, 0);
  EXPECT_EQ(client->Fetch(request).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(client->Fetch(request).status().message(), HasSubstr("64"));
  request.indices = {kDrawings};
  EXPECT_FALSE(client->Fetch(request).ok());
  EXPECT_THAT(client->Fetch(request).status().message(), HasSubstr("1000"));
  request.indices.clear();
  request.key_ids = {12};
  EXPECT_EQ(client->Fetch(request).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_P(BatchStreamSuite, DrainEndsAStreamBetweenBatchesWithItsReason) {
  Plan plan = IndexPlan(16);
  plan.delivery.epochs = std::nullopt;
  const std::unique_ptr<Stream> stream = Open(plan);
  ASSERT_TRUE(stream->Next().ok());
  std::thread drain([&] { transport_->Shutdown(std::chrono::seconds(10)); });
  absl::Status end;
  uint64_t batches = 1;
  for (;;) {
    const auto batch = stream->Next();
    if (!batch.ok()) {
      end = batch.status();
      break;
    }
    ASSERT_TRUE(batch->has_value());
    ++batches;
  }
  drain.join();
  EXPECT_EQ(end.code(), absl::StatusCode::kUnavailable) << end;
  EXPECT_EQ(ErrorReason(end), "DRAIN");
  constexpr uint64_t kWholeSteps = kDrawings / 16;
  EXPECT_EQ(
      stream->cursor().epoch * kWholeSteps * 16 + stream->cursor().position,
      batches * 16)
      << "the cursor is after the last whole batch";
}

TEST_P(BatchStreamSuite, AnotherReplicaGoesOnAtTheCursor) {
  const std::unique_ptr<TransportUnderTest> replica = GetParam().make();
  ASSERT_TRUE(replica->Start(engine_.get()).ok());
  ClientOptions options = Options();
  options.failover_timeout = absl::Seconds(30);
  auto client =
      Client::Connect({transport_->target(), replica->target()}, options);
  ASSERT_TRUE(client.ok()) << client.status();
  Plan plan = IndexPlan(16);
  plan.delivery.tail = Tail::kPartial;
  const std::vector<Expected> expected = ExpectedOf(plan);
  auto stream = (*client)->Stream(plan);
  ASSERT_TRUE(stream.ok()) << stream.status();
  std::thread drain;
  for (size_t i = 0; i < expected.size(); ++i) {
    if (i == 5) {
      drain =
          std::thread([&] { transport_->Shutdown(std::chrono::seconds(10)); });
    }
    const auto batch = (*stream)->Next();
    ASSERT_TRUE(batch.ok() && batch->has_value()) << batch.status();
    ASSERT_EQ(RowsOf(**batch), expected[i].rows) << "batch " << i;
  }
  drain.join();
  EXPECT_FALSE((*stream)->Next()->has_value());
}

TEST_P(BatchStreamSuite, KeySetsAreSentAgainToAServerThatLacksThem) {
  batch::EngineOptions engine_options;
  engine_options.workers = 2;
  auto engine = batch::Engine::Create(engine_options);
  ASSERT_TRUE(engine.ok() && (*engine)->AddDataset("drawings", store_).ok());
  const std::unique_ptr<TransportUnderTest> replica = GetParam().make();
  ASSERT_TRUE(replica->Start(engine->get()).ok());
  ClientOptions options = Options();
  options.failover_timeout = absl::Seconds(30);
  auto client =
      Client::Connect({transport_->target(), replica->target()}, options);
  ASSERT_TRUE(client.ok()) << client.status();

  std::vector<int64_t> keys;
  std::vector<int64_t> wanted;
  for (uint64_t i = 0; i < store_->size(); i += 3) {
    if (store_->KeyId(i) < 0) continue;
    keys.push_back(store_->KeyId(i));
    wanted.push_back(static_cast<int64_t>(i));
  }
  keys.push_back(keys.front());
  const auto uploaded = (*client)->UploadKeys(keys);
  ASSERT_TRUE(uploaded.ok()) << uploaded.status();
  EXPECT_EQ(uploaded->keys, wanted.size());
  EXPECT_EQ((*client)->UploadKeys({}).status().code(),
            absl::StatusCode::kInvalidArgument);

  Plan plan = IndexPlan(16);
  plan.view.include_keys = uploaded->hash;
  plan.order.shuffle = ShuffleKind::kNone;
  plan.delivery.tail = Tail::kPartial;
  auto stream = (*client)->Stream(plan);
  ASSERT_TRUE(stream.ok()) << stream.status();
  std::vector<int64_t> found;
  while (found.size() < wanted.size()) {
    // Returns when the stream has been sent elsewhere.
    if (found.size() == 32) transport_->Shutdown(std::chrono::seconds(1));
    const auto batch = (*stream)->Next();
    ASSERT_TRUE(batch.ok() && batch->has_value()) << batch.status();
    for (const Row& row : RowsOf(**batch)) found.push_back(row.index);
  }
  EXPECT_EQ(found, wanted);
  EXPECT_EQ((*client)->Describe("drawings", plan.view)->view_drawings,
            wanted.size());
  replica->Shutdown(std::chrono::seconds(0));
  (*engine)->Stop();
}

// Reads on until the sentence has `who` in it.
std::string BottleneckOf(Stream* stream, const std::string& who,
                         std::chrono::milliseconds pause) {
  std::string sentence;
  for (int i = 0; i < 600; ++i) {
    sentence = stream->stats().bottleneck;
    if (sentence.find(who) != std::string::npos) break;
    EXPECT_TRUE(stream->Next().ok());
    std::this_thread::sleep_for(pause);
  }
  return sentence;
}

// What is slow without waiting for pages is no disk.
TEST_P(BatchStreamSuite, SlowReadsWithoutADiskAreNamedAsDecoding) {
  const auto store = std::make_shared<FakeStore>(100'000);
  store->SlowDown(1000);
  ServeFake(store);
  Plan plan;
  plan.dataset = "fake";
  plan.delivery.batch_size = 64;
  plan.delivery.image = ImageSpec{8, 8};
  const std::unique_ptr<Stream> stream = Open(plan);
  EXPECT_THAT(BottleneckOf(stream.get(), "decoding", {}),
              HasSubstr("The server's decoding is the bottleneck"));
  const StreamStats stats = stream->stats();
  EXPECT_LT(stats.waited_store, 0.1 * stats.seconds);
  EXPECT_GT(stats.waited_workers, stats.waited_client);
  EXPECT_GT(stats.batches, 0U);
}

TEST_P(BatchStreamSuite, ASlowLoopIsNamedAsTheBottleneck) {
  Plan plan = IndexPlan(16);
  plan.delivery.epochs = std::nullopt;
  const std::unique_ptr<Stream> stream = Open(plan);
  EXPECT_THAT(
      BottleneckOf(stream.get(), "The client", std::chrono::milliseconds(100)),
      HasSubstr("The client is the bottleneck"));
  EXPECT_LT(stream->stats().waited, 0.5 * stream->stats().seconds);
}

TEST_P(BatchStreamSuite, AStrideKeepsItsPhaseOnAnotherReplica) {
  const std::unique_ptr<TransportUnderTest> replica = GetParam().make();
  ASSERT_TRUE(replica->Start(engine_.get()).ok());
  Plan plan = IndexPlan(16);
  plan.delivery.epochs = 2;
  plan.delivery.step_offset = 1;
  plan.delivery.step_stride = 3;
  std::vector<std::vector<Row>> expected;
  for (const Batch& batch : ReadAll(plan)) expected.push_back(RowsOf(batch));
  ClientOptions options = Options();
  options.failover_timeout = absl::Seconds(30);
  auto client =
      Client::Connect({transport_->target(), replica->target()}, options);
  ASSERT_TRUE(client.ok()) << client.status();
  auto stream = (*client)->Stream(plan);
  ASSERT_TRUE(stream.ok()) << stream.status();
  for (size_t i = 0; i < expected.size(); ++i) {
    // Returns when the stream has been sent elsewhere.
    if (i == 5) transport_->Shutdown(std::chrono::seconds(1));
    const auto batch = (*stream)->Next();
    ASSERT_TRUE(batch.ok() && batch->has_value()) << batch.status();
    ASSERT_EQ(RowsOf(**batch), expected[i]) << "batch " << i;
  }
  EXPECT_FALSE((*stream)->Next()->has_value());
  EXPECT_EQ((*stream)->stats().reopened, 1U);
}

}  // namespace
}  // namespace inkstream::conformance
