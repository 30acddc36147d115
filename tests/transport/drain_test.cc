// An orderly end: nobody is cut off in mid-batch while there is time.
#include <gmock/gmock.h>

#include <future>

#include "tests/transport/serving_fixture.h"

namespace inkstream::transport {
namespace {

class DrainTest : public ServingTest {};

TEST_F(DrainTest, StreamsFinishTheBatchInHandAndAreSentElsewhere) {
  Serve(100'000);
  grpc::ClientContext context;
  v1::StreamBatchesRequest request = SmallRequest(8);
  request.mutable_open()->mutable_delivery()->set_forever(true);
  request.mutable_open()->mutable_delivery()->mutable_image()->set_height(256);
  request.mutable_open()->mutable_delivery()->set_max_message_bytes(65536);
  auto stream = stub_->StreamBatches(&context);
  stream->Write(request);
  v1::BatchPart part;
  ASSERT_TRUE(stream->Read(&part));
  std::thread stopper([this] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    server_->Shutdown({std::chrono::seconds(20)});
  });
  uint32_t missing = 0;
  while (stream->Read(&part)) {
    if (part.batches_size() == 1) {
      EXPECT_EQ(missing, 0U);
      missing = part.batches(0).part_count();
      stream->Write(Credits(1));
    }
    --missing;
  }
  EXPECT_EQ(missing, 0U) << "cut off in mid-batch";
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(DetailsOf(status).first, "DRAIN");
  EXPECT_GT(DetailsOf(status).second, 0);
  stopper.join();
}

TEST_F(DrainTest, IdleStreamsDoNotHoldItUp) {
  Serve();
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<PartStream>> streams;
  for (int i = 0; i < 10; ++i) {
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    streams.push_back(stub_->StreamBatches(contexts.back().get()));
    streams.back()->Write(SmallRequest(0));
    v1::BatchPart part;
    ASSERT_TRUE(streams.back()->Read(&part));
  }
  const auto start = std::chrono::steady_clock::now();
  server_->Shutdown({std::chrono::minutes(1)});
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
  for (auto& stream : streams) {
    v1::BatchPart part;
    EXPECT_FALSE(stream->Read(&part));
    EXPECT_EQ(DetailsOf(stream->Finish()).first, "DRAIN");
  }
}

TEST_F(DrainTest, ACallThatTakesItsTimeIsAnswered) {
  store_ = std::make_shared<testing::FakeStore>(1000);
  store_->SlowDown(20'000);
  Serve();
  v1::FetchDrawingsRequest request;
  request.set_dataset("fake");
  request.mutable_delivery()->mutable_image()->set_height(8);
  for (int i = 0; i < 40; ++i) request.add_index(i);
  grpc::ClientContext context;
  auto answer = stub_->FetchDrawings(&context, request);
  v1::BatchPart part;
  const auto until = std::chrono::steady_clock::now() + kSoon;
  while (store_->reads() == 0 && std::chrono::steady_clock::now() < until) {
    std::this_thread::yield();
  }
  std::thread stopper([this] { server_->Shutdown({kSoon}); });
  int batches = 0;
  while (answer->Read(&part)) batches += part.batches_size();
  EXPECT_TRUE(answer->Finish().ok());
  EXPECT_EQ(batches, 1);
  stopper.join();
}

// What nobody takes is of no use to wait for.
class UnreadDrainTest : public DrainTest {
 protected:
  // Whether it ends long before the grace period does.
  bool EndsSoon() {
    std::promise<void> stopped;
    std::thread stopper([&] {
      server_->Shutdown({std::chrono::hours(1)});
      stopped.set_value();
    });
    const bool soon =
        stopped.get_future().wait_for(kSoon) == std::future_status::ready;
    if (!soon) context_.TryCancel();
    stopper.join();
    return soon;
  }

  grpc::ClientContext context_;
  v1::BatchPart part_;
};

TEST_F(UnreadDrainTest, AFetchThatIsNotReadDoesNotHoldItUp) {
  Serve();
  v1::FetchDrawingsRequest request;
  request.mutable_delivery()->mutable_image()->set_height(512);
  for (int i = 0; i < 60; ++i) request.add_index(i);
  const auto answer = stub_->FetchDrawings(&context_, request);
  ASSERT_TRUE(answer->Read(&part_));
  EXPECT_TRUE(EndsSoon());
  while (answer->Read(&part_)) {
  }
  const grpc::Status status = answer->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(UnreadDrainTest, AStreamThatIsNotReadDoesNotHoldItUp) {
  Serve();
  v1::StreamBatchesRequest request = SmallRequest(8);
  request.mutable_open()->mutable_delivery()->mutable_image()->set_height(512);
  request.mutable_open()->mutable_delivery()->set_forever(true);
  const auto stream = stub_->StreamBatches(&context_);
  stream->Write(request);
  ASSERT_TRUE(stream->Read(&part_));
  ASSERT_TRUE(
      Within(kSoon, [&] { return Status().streams(0).unread_bytes() > 0; }));
  EXPECT_TRUE(EndsSoon());
  while (stream->Read(&part_)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(DrainTest, AReaderThatNeverReadsIsCutOffAfterTheGracePeriod) {
  Serve(100'000);
  grpc::ClientContext context;
  v1::StreamBatchesRequest request = SmallRequest(8);
  request.mutable_open()->mutable_delivery()->mutable_image()->set_height(512);
  request.mutable_open()->mutable_delivery()->set_forever(true);
  auto stream = stub_->StreamBatches(&context);
  stream->Write(request);
  v1::BatchPart part;
  ASSERT_TRUE(stream->Read(&part));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  server_->Shutdown({std::chrono::milliseconds(300)});
  while (stream->Read(&part)) {
  }
  EXPECT_FALSE(stream->Finish().ok());
}

TEST_F(DrainTest, AServerThatIsGoneRefusesConnections) {
  Serve();
  server_->Shutdown({std::chrono::seconds(1)});
  server_->Shutdown({std::chrono::seconds(1)});
  grpc::ClientContext context;
  v1::ListDatasetsResponse response;
  EXPECT_EQ(stub_->ListDatasets(&context, {}, &response).error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace inkstream::transport
