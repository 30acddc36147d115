// Everything of the service but StreamBatches, through a real channel.
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "server/raster/draw/rasterizer.h"
#include "tests/transport/serving_fixture.h"

namespace inkstream::transport {
namespace {

using ::grpc::health::v1::HealthCheckResponse;
using ::testing::HasSubstr;

class UnaryMethodsTest : public ServingTest {
 protected:
  HealthCheckResponse::ServingStatus Health(const std::string& name) {
    grpc::ClientContext context;
    ::grpc::health::v1::HealthCheckRequest request;
    request.set_service(name);
    HealthCheckResponse response;
    const grpc::Status status = health_->Check(&context, request, &response);
    if (status.error_code() == grpc::StatusCode::NOT_FOUND) {
      return HealthCheckResponse::SERVICE_UNKNOWN;
    }
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.status();
  }
};

TEST_F(UnaryMethodsTest, ListDatasetsNamesEachWithItsFingerprint) {
  Serve();
  grpc::ClientContext context;
  v1::ListDatasetsResponse response;
  ASSERT_TRUE(stub_->ListDatasets(&context, {}, &response).ok());
  ASSERT_EQ(response.datasets_size(), 1);
  EXPECT_EQ(response.datasets(0).dataset(), "fake");
  EXPECT_EQ(response.datasets(0).fingerprint(), std::string(64, 'f'));
  EXPECT_EQ(response.datasets(0).drawings(), 1000U);
  EXPECT_EQ(response.datasets(0).classes(), 3U);
  EXPECT_EQ(response.datasets(0).problem(), "");
}

TEST_F(UnaryMethodsTest, DescribeTellsAClientEverythingItNeeds) {
  server_options_.memory_bytes = 123;
  Serve();
  grpc::ClientContext context;
  v1::DescribeDatasetRequest request;
  request.mutable_view()->set_split("valid");
  request.mutable_view()->add_classes("class1");
  v1::DescribeDatasetResponse response;
  ASSERT_TRUE(stub_->DescribeDataset(&context, request, &response).ok());
  EXPECT_EQ(response.dataset(), "fake");
  EXPECT_EQ(response.drawings(), 1000U);
  EXPECT_GT(response.view_drawings(), 20U);
  EXPECT_LT(response.view_drawings(), 120U);
  EXPECT_EQ(response.splits_size(), 2);
  ASSERT_EQ(response.classes_size(), 1);
  EXPECT_EQ(response.classes(0).drawings(), response.view_drawings());
  EXPECT_EQ(response.columns_size(), 8);
  EXPECT_EQ(response.raster_version(), raster::kRasterVersion);
  EXPECT_EQ(response.limits().max_batch_size(), 65536U);
  EXPECT_EQ(response.limits().max_streams_per_connection(), 100U);
  EXPECT_EQ(response.limits().max_request_bytes(), 1U << 20U);
  EXPECT_EQ(response.limits().memory_bytes(), 123U);
  EXPECT_EQ(response.server_version(), "test");
}

// The end of its client is told to the server by the read and by the
// cancellation, in any order.
TEST_F(UnaryMethodsTest, AWatchThatIsGivenUpBeforeItAsksEndsOnce) {
  Serve();
  grpc::GenericStub stub(channel_);
  for (int round = 0; round < 500; ++round) {
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    void* tag = nullptr;
    bool ok = false;
    auto call =
        stub.PrepareCall(&context, "/grpc.health.v1.Health/Watch", &queue);
    call->StartCall(nullptr);
    queue.Next(&tag, &ok);
    call->WritesDone(nullptr);
    queue.Next(&tag, &ok);
    context.TryCancel();
    grpc::Status status;
    call->Finish(&status, nullptr);
    queue.Next(&tag, &ok);
    queue.Shutdown();
  }
  EXPECT_EQ(Health(""), HealthCheckResponse::SERVING);
}

TEST_F(UnaryMethodsTest, InspectShowsADrawingToAPerson) {
  Serve();
  grpc::ClientContext context;
  v1::InspectDrawingRequest request;
  request.set_key_id(1009);
  request.set_columns(40);
  v1::InspectDrawingResponse response;
  ASSERT_TRUE(stub_->InspectDrawing(&context, request, &response).ok());
  EXPECT_EQ(response.index(), 9U);
  EXPECT_EQ(response.word(), "class1");
  EXPECT_EQ(response.label(), 1);
  EXPECT_EQ(response.countrycode(), "DE");
  EXPECT_EQ(response.key_id(), "1009");
  EXPECT_FALSE(response.has_recognized());
  EXPECT_EQ(response.strokes(), 1U);
  EXPECT_EQ(response.points(), 2U);
  EXPECT_EQ(response.drawing_size(), 1);
  EXPECT_GT(response.preview_size(), 5);
  EXPECT_FALSE(response.split().empty());
}

TEST_F(UnaryMethodsTest, ErrorsNameTheNearestAndTheLimit) {
  Serve();
  v1::DescribeDatasetResponse description;
  v1::DescribeDatasetRequest request;
  request.set_dataset("fakee");
  grpc::ClientContext first;
  grpc::Status status = stub_->DescribeDataset(&first, request, &description);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), HasSubstr("the nearest is \"fake\""));
  v1::InspectDrawingResponse drawing;
  grpc::ClientContext second;
  status = stub_->InspectDrawing(&second, {}, &drawing);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  v1::InspectDrawingRequest key;
  key.set_key_id(0);
  grpc::ClientContext third;
  status = stub_->InspectDrawing(&third, key, &drawing);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("key_id: 0"));
  v1::GetStatusRequest unknown;
  unknown.set_dataset("other");
  v1::GetStatusResponse answer;
  grpc::ClientContext fourth;
  EXPECT_EQ(stub_->GetStatus(&fourth, unknown, &answer).error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST_F(UnaryMethodsTest, FetchAnswersAsAStreamDoes) {
  Serve();
  v1::FetchDrawingsRequest request;
  for (const uint64_t index : {7, 3, 7}) request.add_index(index);
  request.mutable_delivery()->mutable_image()->set_height(200);
  request.mutable_delivery()->set_max_message_bytes(64U << 10U);
  grpc::ClientContext context;
  auto reader = stub_->FetchDrawings(&context, request);
  v1::BatchPart part;
  ASSERT_TRUE(reader->Read(&part));
  EXPECT_EQ(part.opened().cursor().fingerprint(), std::string(64, 'f'));
  std::string bytes;
  v1::BatchHeader header;
  while (reader->Read(&part)) {
    if (part.batches_size() > 0) header = part.batches(0);
    bytes += part.data();
  }
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_GT(header.part_count(), 1U);
  ASSERT_EQ(bytes.size(), header.byte_size());
  const v1::Tensor& image = header.tensors(0);
  EXPECT_EQ(image.name(), "image");
  EXPECT_EQ(bytes.substr(0, 40'000), bytes.substr(80'000, 40'000));
  EXPECT_NE(bytes.substr(0, 40'000), bytes.substr(40'000, 40'000));
  grpc::ClientContext bad;
  auto refused = stub_->FetchDrawings(&bad, {});
  EXPECT_FALSE(refused->Read(&part));
  EXPECT_EQ(refused->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(UnaryMethodsTest, FetchTravelsAsRowsUnlessSomethingStandsInTheWay) {
  Serve();
  struct Case {
    std::string why_not;  // empty: nothing stands in the way
    std::function<void(v1::Delivery*)> change;
  };
  const std::vector<Case> cases = {
      {"", [](auto*) {}},
      {"QUALITY_EXACT",
       [](auto* d) {
         d->mutable_image()->set_quality(v1::Image::QUALITY_EXACT);
       }},
      {"raster version 1000", [](auto* d) { d->set_raster_version(1000); }},
      {"nothing to draw", [](auto* d) { d->clear_image(); }}};
  for (const Case& one : cases) {
    v1::FetchDrawingsRequest request;
    for (const uint64_t index : {7, 3, 7}) request.add_index(index);
    request.mutable_delivery()->mutable_image()->set_height(64);
    request.mutable_delivery()->set_codec(v1::CODEC_STROKES);
    request.mutable_delivery()->set_raster_version(raster::kRasterVersion);
    one.change(request.mutable_delivery());
    const bool rows = one.why_not.empty();
    grpc::ClientContext context;
    auto reader = stub_->FetchDrawings(&context, request);
    v1::BatchPart opened;
    v1::BatchPart part;
    ASSERT_TRUE(reader->Read(&opened));
    EXPECT_EQ(opened.opened().codec(),
              rows ? v1::CODEC_STROKES : v1::CODEC_NONE);
    EXPECT_THAT(opened.opened().codec_reason(), HasSubstr(one.why_not));
    EXPECT_EQ(opened.opened().codec_reason().empty(), rows);
    ASSERT_TRUE(reader->Read(&part));
    EXPECT_TRUE(reader->Finish().ok());
    const v1::BatchHeader& header = part.batches(0);
    EXPECT_EQ(header.has_rows(), rows);
    EXPECT_EQ(header.rows().count(), rows ? 3 : 0);
    EXPECT_EQ(part.data().size(),
              rows ? header.wire_size() : header.byte_size());
  }
}

TEST_F(UnaryMethodsTest, StatusNamesEveryStreamAndWhoWaits) {
  Serve(100'000);
  grpc::ClientContext context;
  auto stream = stub_->StreamBatches(&context);
  v1::StreamBatchesRequest request = SmallRequest(2);
  request.mutable_open()->mutable_delivery()->set_rank(1);
  request.mutable_open()->mutable_delivery()->set_world(4);
  stream->Write(request);
  v1::BatchPart part;
  ASSERT_TRUE(stream->Read(&part));
  int batches = 0;
  while (batches < 2 && stream->Read(&part)) batches += part.batches_size();
  v1::GetStatusResponse status;
  ASSERT_TRUE(Within(kSoon, [&] {
    status = Status();
    return status.streams_size() == 1 &&
           status.streams(0).wait_client() > 0.6 &&
           2 * status.streams(0).wait_client() > status.streams(0).seconds();
  }));
  const v1::StreamStatus& report = status.streams(0);
  EXPECT_EQ(report.dataset(), "fake");
  EXPECT_EQ(report.rank(), 1U);
  EXPECT_EQ(report.world(), 4U);
  EXPECT_EQ(report.position(), 128U);
  EXPECT_EQ(report.batches(), 2U);
  EXPECT_EQ(report.drawings(), 32U);
  EXPECT_GT(report.bytes(), 2048U);
  EXPECT_GT(report.wait_client(), 0.5);
  EXPECT_THAT(report.peer(), HasSubstr("127.0.0.1"));
  EXPECT_THAT(report.bottleneck(), HasSubstr("The client is the bottleneck"));
  EXPECT_EQ(status.batches_sent(), 2U);
  EXPECT_EQ(status.workers(), 2U);
  EXPECT_FALSE(status.draining());
  EXPECT_GT(status.cpu_seconds(), 0);
  context.TryCancel();
  EXPECT_TRUE(Within(std::chrono::seconds(1),
                     [&] { return Status().streams_size() == 0; }));
  EXPECT_EQ(Status().batches_sent(), 2U) << "totals outlive their streams";
}

TEST_F(UnaryMethodsTest, HealthAnswersForServerServiceAndDataset) {
  Serve();
  EXPECT_EQ(Health(""), HealthCheckResponse::SERVING);
  EXPECT_EQ(Health("inkstream.v1.DrawingService"),
            HealthCheckResponse::SERVING);
  EXPECT_EQ(Health("fake"), HealthCheckResponse::SERVING);
  EXPECT_EQ(Health("fakee"), HealthCheckResponse::SERVICE_UNKNOWN);
}

TEST_F(UnaryMethodsTest, HealthCanBeWatchedUntilTheServerStops) {
  Serve();
  grpc::ClientContext context;
  auto watch = health_->Watch(&context, {});
  HealthCheckResponse response;
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  std::thread stopper([this] { server_->Shutdown({std::chrono::seconds(5)}); });
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  EXPECT_FALSE(watch->Read(&response));
  EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  stopper.join();
}

// The descriptor of this process that listens at `path`; -1: none.
int ListenerAt(const std::string& path) {
  for (int fd = 0; fd < 1024; ++fd) {
    sockaddr_un address = {};
    socklen_t size = sizeof(address);
    int listens = 0;
    socklen_t listens_size = sizeof(listens);
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
        address.sun_family == AF_UNIX && path == address.sun_path &&
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &listens_size) ==
            0 &&
        listens == 1) {
      return fd;
    }
  }
  return -1;
}

TEST_F(UnaryMethodsTest, AWatchIsToldOfAListenerThatIsDeadAndOfItsReturn) {
  const std::string folder = ::testing::TempDir() + "ink_watched";
  std::filesystem::create_directory(folder);
  server_options_.unix_path = folder + "/socket";
  Serve();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kSoon);
  auto watch = health_->Watch(&context, {});
  HealthCheckResponse response;
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  const int listener = ListenerAt(server_options_.unix_path);
  ASSERT_GE(listener, 0);
  // Where its folder is gone it cannot be made anew.
  std::filesystem::remove_all(folder);
  ASSERT_EQ(shutdown(listener, SHUT_RDWR), 0);
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  EXPECT_FALSE(server_->alive());
  EXPECT_EQ(Health("fake"), HealthCheckResponse::NOT_SERVING);
  std::filesystem::create_directory(folder);
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  server_->Shutdown({});
  std::filesystem::remove_all(folder);
}

TEST_F(UnaryMethodsTest, AWatchOfAnUnknownNameSaysSoAndStays) {
  Serve();
  grpc::ClientContext context;
  ::grpc::health::v1::HealthCheckRequest request;
  request.set_service("nobody");
  auto watch = health_->Watch(&context, request);
  HealthCheckResponse response;
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVICE_UNKNOWN);
  context.TryCancel();
  EXPECT_FALSE(watch->Read(&response));
}

}  // namespace
}  // namespace inkstream::transport
