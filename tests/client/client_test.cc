#include "inkstream/client.h"

#include <atomic>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_drawing_server.h"
#include "tests/support/scripted_stream.h"

namespace inkstream {
namespace {

using inkstream::testing::BatchOf;
using inkstream::testing::Connected;
using inkstream::testing::Epoch;
using inkstream::testing::FakeDrawingServer;
using inkstream::testing::OpenedPart;
using inkstream::testing::Quick;
using inkstream::testing::ReadAll;
using inkstream::testing::UpTo;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Connect, RefusesWhatIsNoTarget) {
  for (const char* target :
       {"", "host", "host:", ":50051", "host:0", "host:65536", "host:http",
        "http://host:50051", "unix:", "dns:///host"}) {
    const auto client = Client::Connect({target}, Quick());
    EXPECT_EQ(client.status().code(), absl::StatusCode::kInvalidArgument)
        << target;
    EXPECT_THAT(client.status().message(), HasSubstr("target"));
  }
  EXPECT_EQ(Client::Connect({}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(Connect, RefusesOptionsOutOfRange) {
  ClientOptions options;
  options.read_ahead = 257;
  EXPECT_THAT(Client::Connect({"localhost:1"}, options).status().message(),
              HasSubstr("read_ahead = 257"));
  options = {};
  options.max_message_bytes = 1000;
  EXPECT_THAT(Client::Connect({"localhost:1"}, options).status().message(),
              HasSubstr("max_message_bytes = 1000"));
}

TEST(Connect, ToNobodyIsUnavailableNamingTheTargets) {
  ClientOptions options;
  options.connect_timeout = absl::Milliseconds(300);
  const auto client =
      Client::Connect({"127.0.0.1:1", "unix:/nonexistent"}, options);
  EXPECT_EQ(client.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(client.status().message(), HasSubstr("127.0.0.1:1"));
  EXPECT_THAT(client.status().message(), HasSubstr("unix:/nonexistent"));
}

TEST(Connect, FindsTheTargetThatAnswers) {
  FakeDrawingServer server;
  server.OnStream(Epoch(2, 5));
  const auto client = Connected({"127.0.0.1:1", server.target()});
  auto stream = client->Stream({});
  ASSERT_TRUE(stream.ok()) << stream.status();
  EXPECT_EQ(ReadAll(stream->get()), UpTo(10));
}

TEST(Describe, GivesWhatTheServerSays) {
  FakeDrawingServer server;
  server.OnDescribe([](const v1::DescribeDatasetRequest& request,
                       v1::DescribeDatasetResponse* response) {
    response->set_dataset(request.dataset());
    response->set_view_drawings(request.view().split() == "valid" ? 5 : 0);
    response->mutable_limits()->set_max_batch_size(77);
    v1::ClassCount* count = response->add_classes();
    count->set_word("cat");
    count->set_drawings(3);
    return grpc::Status::OK;
  });
  const auto client = Connected({server.target()});
  const auto info = client->Describe("quickdraw", {.split = "valid"});
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->dataset, "quickdraw");
  EXPECT_EQ(info->view_drawings, 5);
  EXPECT_EQ(info->limits.max_batch_size, 77);
  ASSERT_EQ(info->classes.size(), 1);
  EXPECT_EQ(info->classes[0].word, "cat");
}

TEST(Describe, AsksTheNextTargetWhereOneIsUnavailable) {
  FakeDrawingServer draining;
  FakeDrawingServer healthy;
  draining.OnDescribe([](const auto&, auto*) {
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "draining");
  });
  healthy.OnDescribe([](const auto&, v1::DescribeDatasetResponse* response) {
    response->set_drawings(9);
    return grpc::Status::OK;
  });
  const auto client = Connected({draining.target(), healthy.target()});
  const auto info = client->Describe("");
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->drawings, 9);
}

TEST(Fetch, IsOneBatchInTheOrderAsked) {
  FakeDrawingServer server;
  server.OnFetch([](const v1::FetchDrawingsRequest& request,
                    grpc::ServerWriter<v1::BatchPart>* writer) {
    writer->Write(OpenedPart());
    writer->Write(BatchOf(0, request.index(0), request.index_size(), 0));
    return grpc::Status::OK;
  });
  const auto client = Connected({server.target()});
  const auto batch = client->Fetch({.indices = {7, 7, 7}});
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_THAT(*batch->Values<int64_t>("index"), ElementsAre(7, 8, 9));
  EXPECT_FALSE(batch->cursor().has_value());
}

TEST(Fetch, OfAServerThatWouldPassOverWhatWasAskedIsRefused) {
  FakeDrawingServer earlier;
  earlier.OnFetch([](const v1::FetchDrawingsRequest&,
                     grpc::ServerWriter<v1::BatchPart>* writer) {
    writer->Write(OpenedPart());
    writer->Write(BatchOf(0, 7, 1, 0));
    return grpc::Status::OK;
  });
  const auto client = Connected({earlier.target()});
  FetchRequest request;
  request.indices = {7};
  request.strokes.emplace().times = true;
  const absl::Status status = client->Fetch(request).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_THAT(status.message(), HasSubstr("delivery.strokes.times"));
}

TEST(Fetch, WithoutOrWithSeveralBatchesIsAnInternalError) {
  FakeDrawingServer server;
  std::atomic<int> batches{0};
  server.OnFetch([&](const v1::FetchDrawingsRequest&,
                     grpc::ServerWriter<v1::BatchPart>* writer) {
    for (int i = 0; i < batches; ++i) {
      writer->Write(BatchOf(i, 0, 1, 0));
    }
    return grpc::Status::OK;
  });
  const auto client = Connected({server.target()});
  EXPECT_EQ(client->Fetch({.indices = {1}}).status().code(),
            absl::StatusCode::kInternal);
  batches = 2;
  EXPECT_EQ(client->Fetch({.indices = {1}}).status().code(),
            absl::StatusCode::kInternal);
}

TEST(Fetch, OfAServerThatHasNoSuchCodecIsDrawnByIt) {
  FakeDrawingServer server;
  std::vector<v1::Codec> asked;
  server.OnFetch([&](const v1::FetchDrawingsRequest& request,
                     grpc::ServerWriter<v1::BatchPart>* writer) {
    asked.push_back(request.delivery().codec());
    if (asked.back() != v1::CODEC_NONE) {
      return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT,
                          "delivery.codec: not offered by this server; "
                          "offered: CODEC_NONE (of FetchDrawings)");
    }
    writer->Write(OpenedPart());
    writer->Write(BatchOf(0, 7, 1, 0));
    return grpc::Status::OK;
  });
  const auto client = Connected({server.target()});
  const auto batch = client->Fetch({.indices = {7}});
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_THAT(asked, ElementsAre(v1::CODEC_STROKES, v1::CODEC_NONE));
}

}  // namespace
}  // namespace inkstream
