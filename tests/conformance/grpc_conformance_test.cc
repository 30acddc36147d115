// gRPC over TCP and over a Unix socket.

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "inkstream/v1/service.grpc.pb.h"
#include "server/transport/grpc/grpc_server.h"
#include "tests/conformance/batch_stream_suite.h"

namespace inkstream::conformance {
namespace {

class GrpcUnderTest final : public TransportUnderTest {
 public:
  explicit GrpcUnderTest(bool unix_socket) {
    if (unix_socket) {
      static std::atomic<int> sockets{0};
      path_ = absl::StrCat(std::filesystem::temp_directory_path().string(),
                           "/inkstream-", getpid(), "-", sockets++, ".sock");
    }
  }

  absl::Status Start(batch::Engine* engine) override {
    transport::GrpcServerOptions options;
    options.unix_path = path_;
    if (path_.empty()) {
      options.listen = {"127.0.0.1:0"};
    }
    auto server = transport::GrpcServer::Start(engine, options);
    if (!server.ok()) {
      return server.status();
    }
    server_ = *std::move(server);
    return absl::OkStatus();
  }

  std::string target() const override {
    return path_.empty() ? server_->addresses()[0] : "unix:" + path_;
  }

  void Shutdown(std::chrono::milliseconds grace) override {
    server_->Shutdown({grace});
  }

 private:
  std::string path_;
  std::unique_ptr<transport::GrpcServer> server_;
};

TransportParam Param(const char* name, bool unix_socket,
                     Codec codec = Codec::kNone) {
  return {
      name,
      [unix_socket] { return std::make_unique<GrpcUnderTest>(unix_socket); },
      codec};
}

INSTANTIATE_TEST_SUITE_P(
    Grpc, BatchStreamSuite,
    ::testing::Values(Param("Tcp", false), Param("UnixSocket", true),
                      Param("TcpStrokes", false, Codec::kStrokes),
                      Param("UnixSocketStrokes", true, Codec::kStrokes)),
    [](const auto& info) { return info.param.name; });

// What a person with grpcurl does, and what the library's client never does.
class RawGrpcStream : public BatchStreamSuite {
 protected:
  v1::StreamBatchesRequest OpenRequest(uint32_t credits) {
    v1::StreamBatchesRequest request;
    request.set_dataset("drawings");
    request.set_credits(credits);
    request.mutable_open()->mutable_delivery()->set_batch_size(16);
    return request;
  }

  auto OpenRaw() {
    stub_ = v1::DrawingService::NewStub(grpc::CreateChannel(
        transport_->target(), grpc::InsecureChannelCredentials()));
    return stub_->StreamBatches(&context_);
  }

  grpc::ClientContext context_;
  std::unique_ptr<v1::DrawingService::Stub> stub_;
};

INSTANTIATE_TEST_SUITE_P(Grpc, RawGrpcStream,
                         ::testing::Values(Param("Tcp", false)),
                         [](const auto& info) { return info.param.name; });

TEST_P(RawGrpcStream, HalfClosedStreamRunsToItsEnd) {
  auto stream = OpenRaw();
  ASSERT_TRUE(stream->Write(OpenRequest(0)));
  ASSERT_TRUE(stream->WritesDone());
  v1::BatchPart part;
  int batches = 0;
  bool opened = false;
  bool ended = false;
  while (stream->Read(&part)) {
    EXPECT_FALSE(ended);
    opened |= part.has_opened();
    ended |= part.has_end();
    batches += part.batches_size();
  }
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_TRUE(opened);
  EXPECT_TRUE(ended);
  EXPECT_EQ(batches, kDrawings / 16);
}

TEST_P(RawGrpcStream, HalfClosedStreamStopsAtMaxBatches) {
  auto stream = OpenRaw();
  v1::StreamBatchesRequest request = OpenRequest(0);
  request.mutable_open()->mutable_delivery()->set_max_batches(2);
  ASSERT_TRUE(stream->Write(request));
  ASSERT_TRUE(stream->WritesDone());
  v1::BatchPart part;
  int batches = 0;
  v1::StreamEnd end;
  while (stream->Read(&part)) {
    batches += part.batches_size();
    if (part.has_end()) {
      end = part.end();
    }
  }
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(batches, 2);
  EXPECT_EQ(end.reason(), v1::StreamEnd::REASON_MAX_BATCHES);
  EXPECT_EQ(end.cursor().position(), 32);
}

TEST_P(RawGrpcStream, SendsAsManyBatchesAsWereGranted) {
  auto stream = OpenRaw();
  ASSERT_TRUE(stream->Write(OpenRequest(2)));
  std::atomic<int> batches{0};
  std::thread reader([&] {
    v1::BatchPart part;
    while (stream->Read(&part)) {
      batches += part.batches_size();
    }
  });
  const auto reaches = [&](int count) {
    for (int i = 0; i < 500 && batches < count; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return batches == count;
  };
  EXPECT_TRUE(reaches(2)) << batches;
  v1::StreamBatchesRequest grant;
  grant.set_credits(3);
  EXPECT_TRUE(stream->Write(grant));
  EXPECT_TRUE(reaches(5)) << batches;
  context_.TryCancel();
  reader.join();
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_P(RawGrpcStream, MoreCreditThanTheWindowIsRefused) {
  auto stream = OpenRaw();
  ASSERT_TRUE(stream->Write(OpenRequest(1'000'000)));
  v1::BatchPart part;
  while (stream->Read(&part)) {
  }
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), ::testing::HasSubstr("8"));
}

TEST_P(RawGrpcStream, FirstRequestWithoutOpenIsRefused) {
  auto stream = OpenRaw();
  v1::StreamBatchesRequest request;
  request.set_credits(1);
  ASSERT_TRUE(stream->Write(request));
  v1::BatchPart part;
  EXPECT_FALSE(stream->Read(&part));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), ::testing::HasSubstr("open"));
}

}  // namespace
}  // namespace inkstream::conformance
