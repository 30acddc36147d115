// StreamBatches through a real server and a real channel.
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>

#include <algorithm>
#include <map>
#include <set>

#include "tests/transport/serving_fixture.h"

namespace inkstream::transport {
namespace {

using ::testing::HasSubstr;

class StreamBatchesTest : public ServingTest {
 protected:
  std::unique_ptr<PartStream> Open(const v1::StreamBatchesRequest& request,
                                   grpc::ClientContext* context) {
    auto stream = stub_->StreamBatches(context);
    EXPECT_TRUE(stream->Write(request));
    return stream;
  }

  // The error that answers a first request.
  grpc::Status Refusal(const v1::StreamBatchesRequest& request) {
    grpc::ClientContext context;
    auto stream = Open(request, &context);
    v1::BatchPart part;
    while (stream->Read(&part)) {
    }
    return stream->Finish();
  }

  // The answer to a first message of any bytes.
  grpc::Status AnswerToRawBytes(const std::string& bytes) {
    grpc::GenericStub stub(channel_);
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    auto call = stub.PrepareCall(
        &context, "/inkstream.v1.DrawingService/StreamBatches", &queue);
    void* tag = nullptr;
    bool ok = false;
    call->StartCall(nullptr);
    queue.Next(&tag, &ok);
    const grpc::Slice slice(bytes);
    call->Write(grpc::ByteBuffer(&slice, 1), nullptr);
    queue.Next(&tag, &ok);
    grpc::Status status;
    call->Finish(&status, nullptr);
    queue.Next(&tag, &ok);
    queue.Shutdown();
    return status;
  }
};

TEST_F(StreamBatchesTest, OpensThenDeliversThenEnds) {
  Serve(100);
  grpc::ClientContext context;
  auto stream = Open(SmallRequest(), &context);
  v1::BatchPart part;
  ASSERT_TRUE(stream->Read(&part));
  ASSERT_TRUE(part.has_opened());
  EXPECT_EQ(part.opened().dataset(), "fake");
  EXPECT_EQ(part.opened().view_size(), 100U);
  EXPECT_EQ(part.opened().steps_per_epoch(), 6U);
  EXPECT_EQ(part.opened().vocabulary_size(), 3);
  EXPECT_EQ(part.opened().credit_window(), 8U);
  EXPECT_EQ(part.opened().cursor().fingerprint(), std::string(64, 'f'));
  EXPECT_FALSE(part.opened().cursor().order_plan().empty());
  std::set<int64_t> indices;
  uint64_t next = 0;
  while (stream->Read(&part) && !part.has_end()) {
    for (const v1::BatchHeader& header : part.batches()) {
      EXPECT_EQ(header.batch_seq(), next++);
      EXPECT_EQ(header.part_count(), 1U);
      for (const v1::Tensor& tensor : header.tensors()) {
        if (tensor.name() != "index") continue;
        const char* const data =
            part.data().data() + header.data_offset() + tensor.offset();
        for (int row = 0; row < tensor.shape(0); ++row) {
          int64_t index = 0;
          std::memcpy(&index, data + 8 * row, 8);
          indices.insert(index);
        }
      }
      EXPECT_EQ(header.cursor().epoch(), next == 6 ? 1U : 0U);
      EXPECT_EQ(header.cursor().position(), next == 6 ? 0U : 16 * next);
    }
  }
  EXPECT_EQ(next, 6U);
  EXPECT_EQ(indices.size(), 96U);
  ASSERT_TRUE(part.has_end());
  EXPECT_EQ(part.end().reason(), v1::StreamEnd::REASON_EPOCHS_DONE);
  EXPECT_EQ(part.end().cursor().epoch(), 1U);
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(StreamBatchesTest, LargeBatchesAreCutToTheClientsLimitAndFitTogether) {
  Serve(1000);
  v1::StreamBatchesRequest request = SmallRequest(1);
  request.mutable_open()->mutable_delivery()->mutable_image()->set_height(128);
  request.mutable_open()->mutable_delivery()->set_batch_size(100);
  request.mutable_open()->mutable_delivery()->set_max_batches(1);
  std::vector<std::string> whole;
  for (const uint32_t limit : {64U << 20U, 64U << 10U, 1U << 20U, 0U}) {
    request.mutable_open()->mutable_delivery()->set_max_message_bytes(limit);
    grpc::ClientContext context;
    auto stream = Open(request, &context);
    v1::BatchPart part;
    std::string bytes;
    uint32_t parts = 0;
    uint32_t announced = 0;
    while (stream->Read(&part)) {
      EXPECT_LE(part.ByteSizeLong(), limit == 0 ? 4U << 20U : limit);
      if (part.has_opened() || part.has_end()) continue;
      EXPECT_EQ(part.part(), parts++);
      EXPECT_EQ(part.offset(), bytes.size());
      EXPECT_EQ(part.batches_size(), parts == 1 ? 1 : 0);
      if (parts == 1) announced = part.batches(0).part_count();
      bytes += part.data();
    }
    EXPECT_TRUE(stream->Finish().ok());
    EXPECT_EQ(parts, announced);
    whole.push_back(bytes);
  }
  EXPECT_EQ(whole[0], whole[1]);
  EXPECT_EQ(whole[0], whole[2]);
  EXPECT_EQ(whole[0], whole[3]);
  EXPECT_GT(whole[0].size(), 1'638'400U);
}

TEST_F(StreamBatchesTest, AHalfClosedStreamGoesOnToItsBound) {
  Serve(1000);
  v1::StreamBatchesRequest request = SmallRequest(0);
  request.mutable_open()->mutable_delivery()->set_max_batches(20);
  grpc::ClientContext context;
  auto stream = stub_->StreamBatches(&context);
  stream->WriteLast(request, grpc::WriteOptions());
  v1::BatchPart part;
  int batches = 0;
  while (stream->Read(&part)) batches += part.batches_size();
  EXPECT_EQ(batches, 20);
  EXPECT_EQ(part.end().reason(), v1::StreamEnd::REASON_MAX_BATCHES);
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(StreamBatchesTest, WithoutCreditsNothingComes) {
  Serve(1000);
  grpc::ClientContext context;
  auto stream = Open(SmallRequest(0), &context);
  v1::BatchPart part;
  ASSERT_TRUE(stream->Read(&part));
  EXPECT_TRUE(part.has_opened());
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(Status().batches_sent(), 0U);
  ASSERT_TRUE(stream->Write(Credits(2)));
  int batches = 0;
  while (batches < 2 && stream->Read(&part)) batches += part.batches_size();
  EXPECT_EQ(batches, 2);
  EXPECT_TRUE(Within(kSoon, [&] {
    return Status().streams(0).batches() == 2 &&
           Status().streams(0).credits() == 0;
  }));
  context.TryCancel();
}

TEST_F(StreamBatchesTest, AFirstMessageThatIsNoRequestIsTheCallersMistake) {
  Serve();
  const grpc::Status status = AnswerToRawBytes("\xff\xff\xff not a message");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("StreamBatchesRequest"));
}

TEST_F(StreamBatchesTest, TheFirstRequestMustOpenAndNoLaterOneMay) {
  Serve();
  grpc::Status status = Refusal(Credits(3));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("open: not set"));
  grpc::ClientContext context;
  auto stream = Open(SmallRequest(0), &context);
  stream->Write(SmallRequest(0));
  v1::BatchPart part;
  while (stream->Read(&part)) {
  }
  status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("open already"));
}

TEST_F(StreamBatchesTest, ClosingWithoutARequestIsAnsweredToo) {
  Serve();
  grpc::ClientContext context;
  auto stream = stub_->StreamBatches(&context);
  stream->WritesDone();
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(StreamBatchesTest, TooManyCreditsEndTheStreamAndSayHowManyThereAre) {
  Serve();
  const grpc::Status status = Refusal(SmallRequest(9));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("at most 8"));
  EXPECT_EQ(DetailsOf(status).first, "TOO_MANY_CREDITS");
}

TEST_F(StreamBatchesTest, AClientThatIsGoneLeavesNoStream) {
  Serve(100'000);
  {
    grpc::ClientContext context;
    v1::StreamBatchesRequest request = SmallRequest();
    request.mutable_open()->mutable_delivery()->set_forever(true);
    auto stream = Open(request, &context);
    v1::BatchPart part;
    ASSERT_TRUE(stream->Read(&part));
    ASSERT_TRUE(stream->Read(&part));
    EXPECT_EQ(Status().streams_size(), 1);
    context.TryCancel();
    while (stream->Read(&part)) {
    }
    stream->Finish();
  }
  EXPECT_TRUE(Within(kSoon, [&] {
    return Status().streams_size() == 0 && engine_->open_streams() == 0;
  }));
}

TEST_F(StreamBatchesTest, AConnectionThatIsCutLeavesNoStream) {
  Serve(100'000);
  grpc::ClientContext context;
  {
    auto channel = NewChannel();
    auto stub = v1::DrawingService::NewStub(channel);
    auto stream = stub->StreamBatches(&context);
    stream->Write(SmallRequest());
    v1::BatchPart part;
    ASSERT_TRUE(stream->Read(&part));
    EXPECT_EQ(Status().streams_size(), 1);
    context.TryCancel();
    stream->Finish();
  }
  EXPECT_TRUE(Within(kSoon, [&] { return Status().streams_size() == 0; }));
}

TEST_F(StreamBatchesTest, MemoryIsGivenBackWhenStreamsEnd) {
  Serve(100'000);
  for (int i = 0; i < 5; ++i) {
    grpc::ClientContext context;
    v1::StreamBatchesRequest request = SmallRequest();
    request.mutable_open()->mutable_delivery()->mutable_image()->set_height(
        200);
    auto stream = Open(request, &context);
    v1::BatchPart part;
    stream->Read(&part);
    stream->Read(&part);
    context.TryCancel();
    while (stream->Read(&part)) {
    }
    stream->Finish();
  }
  EXPECT_TRUE(Within(kSoon, [&] { return Status().memory_used_bytes() == 0; }));
}

TEST_F(StreamBatchesTest, OverTheServersLimitAStreamIsToldToWait) {
  engine_options_.limits.max_streams = 2;
  Serve();
  grpc::ClientContext contexts[2];
  std::vector<std::unique_ptr<PartStream>> streams;
  for (grpc::ClientContext& context : contexts) {
    streams.push_back(Open(SmallRequest(0), &context));
    v1::BatchPart part;
    ASSERT_TRUE(streams.back()->Read(&part));
  }
  const grpc::Status status = Refusal(SmallRequest());
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(DetailsOf(status).first, "TOO_MANY_STREAMS");
  EXPECT_GT(DetailsOf(status).second, 0);
  for (grpc::ClientContext& context : contexts) context.TryCancel();
  EXPECT_TRUE(Within(kSoon, [&] { return engine_->open_streams() == 0; }));
  grpc::ClientContext context;
  v1::BatchPart part;
  EXPECT_TRUE(Open(SmallRequest(), &context)->Read(&part));
  context.TryCancel();
}

TEST_F(StreamBatchesTest, ARequestOverOneMebibyteIsRefused) {
  Serve();
  v1::StreamBatchesRequest request = SmallRequest();
  request.mutable_open()->mutable_view()->add_classes(
      std::string((1U << 20U) + 1, 'a'));
  EXPECT_EQ(Refusal(request).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(StreamBatchesTest, ADamagedRecordIsDataLossWithIndexAndStore) {
  store_ = std::make_shared<testing::FakeStore>(100);
  store_->Damage(20);
  Serve();
  v1::StreamBatchesRequest request = SmallRequest();
  request.mutable_open()->mutable_order()->set_shuffle(v1::Order::SHUFFLE_NONE);
  grpc::ClientContext context;
  auto stream = Open(request, &context);
  v1::BatchPart part;
  int batches = 0;
  while (stream->Read(&part)) batches += part.batches_size();
  EXPECT_EQ(batches, 1);
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DATA_LOSS);
  EXPECT_THAT(status.error_message(), HasSubstr("drawing 20"));
  EXPECT_THAT(status.error_message(), HasSubstr("/fake/store.ink"));
}

TEST_F(StreamBatchesTest, AReaderThatStopsReadingIsEndedAndNamed) {
  server_options_.stall = std::chrono::seconds(2);
  Serve(100'000);
  grpc::ClientContext context;
  v1::StreamBatchesRequest request = SmallRequest();
  request.mutable_open()->mutable_delivery()->mutable_image()->set_height(512);
  request.mutable_open()->mutable_delivery()->set_max_message_bytes(8U << 20U);
  request.mutable_open()->mutable_delivery()->set_forever(true);
  auto stream = Open(request, &context);
  v1::BatchPart part;
  ASSERT_TRUE(stream->Read(&part));
  // 32 MiB of credits, more than the connection buffers for a client that
  // reads none of it.
  EXPECT_TRUE(Within(kSoon, [&] { return Status().streams_size() == 0; }));
  while (stream->Read(&part)) {
  }
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("has not taken a batch"));
}

TEST_F(StreamBatchesTest, ACallThatOpensNothingIsEnded) {
  server_options_.stall = std::chrono::milliseconds(100);
  Serve();
  grpc::ClientContext context;
  auto stream = stub_->StreamBatches(&context);
  v1::BatchPart part;
  EXPECT_FALSE(stream->Read(&part));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(DetailsOf(status).first, "IDLE");
}

TEST_F(StreamBatchesTest, TwoServersGiveTheSameBytes) {
  std::vector<std::string> seen;
  for (int server = 0; server < 2; ++server) {
    engine_options_.workers = 1 + 2 * server;
    server_.reset();
    Serve(500);
    grpc::ClientContext context;
    auto stream = Open(SmallRequest(2 + server), &context);
    v1::BatchPart part;
    std::string bytes;
    while (stream->Read(&part)) {
      bytes += part.data();
      if (part.batches_size() > 0) stream->Write(Credits(part.batches_size()));
    }
    EXPECT_TRUE(stream->Finish().ok());
    seen.push_back(bytes);
  }
  EXPECT_EQ(seen[0], seen[1]);
}

}  // namespace
}  // namespace inkstream::transport
