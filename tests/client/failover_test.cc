#include <atomic>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inkstream/client.h"
#include "inkstream/errors.h"
#include "tests/support/fake_drawing_server.h"
#include "tests/support/scripted_stream.h"

namespace inkstream {
namespace {

using inkstream::testing::BatchOf;
using inkstream::testing::Connected;
using inkstream::testing::EndPart;
using inkstream::testing::Epoch;
using inkstream::testing::FakeDrawingServer;
using inkstream::testing::OpenedPart;
using inkstream::testing::Quick;
using inkstream::testing::ReadAll;
using inkstream::testing::StatusWithReason;
using inkstream::testing::UntilCancelled;
using inkstream::testing::UpTo;
using ::testing::HasSubstr;
using BatchStream = inkstream::testing::FakeDrawingServer::BatchStream;

TEST(Stream, GoesOnAtTheCursorWhereAServerDrains) {
  FakeDrawingServer first;
  FakeDrawingServer second;
  first.OnStream(Epoch(20, 5).StopAt(35));
  second.OnStream(Epoch(20, 5));
  const auto client = Connected({first.target(), second.target()});
  auto stream = client->Stream({});
  ASSERT_TRUE(stream.ok()) << stream.status();
  std::vector<uint64_t> sequences;
  std::vector<int64_t> indices;
  for (;;) {
    auto batch = (*stream)->Next();
    ASSERT_TRUE(batch.ok()) << batch.status();
    if (!batch->has_value()) {
      break;
    }
    const auto values = (*batch)->Values<int64_t>("index");
    indices.insert(indices.end(), values->begin(), values->end());
    EXPECT_EQ((*batch)->sequence(), sequences.size());
    sequences.push_back((*batch)->sequence());
  }
  EXPECT_EQ(indices, UpTo(100));
  EXPECT_EQ(second.streams_opened(), 1);
}

TEST(Stream, GoesOnWhereAServerIsKilled) {
  FakeDrawingServer first;
  FakeDrawingServer second;
  first.OnStream([](grpc::ServerContext* context, BatchStream* stream) {
    v1::StreamBatchesRequest request;
    stream->Read(&request);
    stream->Write(OpenedPart());
    stream->Write(BatchOf(0, 0, 5, 5));
    return UntilCancelled(context);
  });
  second.OnStream(Epoch(4, 5));
  const auto client = Connected({first.target(), second.target()});
  auto stream = client->Stream({});
  ASSERT_TRUE(stream.ok()) << stream.status();
  ASSERT_TRUE((*stream)->Next().ok());
  first.Kill();
  std::vector<int64_t> rest = UpTo(20);
  rest.erase(rest.begin(), rest.begin() + 5);
  EXPECT_EQ(ReadAll(stream->get()), rest);
}

TEST(Stream, RefusesToGoOnWithOtherData) {
  FakeDrawingServer first;
  FakeDrawingServer second;
  first.OnStream(Epoch(20, 5).StopAt(35));
  second.OnStream([](grpc::ServerContext*, BatchStream* stream) {
    v1::StreamBatchesRequest request;
    stream->Read(&request);
    v1::BatchPart opened = OpenedPart();
    opened.mutable_opened()->set_raster_version(2);
    stream->Write(opened);
    stream->Read(&request);
    return grpc::Status::OK;
  });
  ClientOptions options = Quick();
  options.failover_timeout = absl::Seconds(2);
  const auto client = Connected({first.target(), second.target()}, options);
  auto stream = client->Stream({});
  ASSERT_TRUE(stream.ok()) << stream.status();
  absl::Status end;
  EXPECT_EQ(ReadAll(stream->get(), &end), UpTo(35));
  // The first one might have come back, so it was waited for.
  EXPECT_EQ(end.code(), absl::StatusCode::kUnavailable) << end;
  EXPECT_THAT(end.message(), HasSubstr("raster version 2"));
  EXPECT_THAT(end.message(), HasSubstr("began with 1"));
}

TEST(Stream, GoesOnWhereNothingIsPassedOverThatWasAsked) {
  FakeDrawingServer first;
  FakeDrawingServer earlier;
  FakeDrawingServer last;
  first.OnStream(Epoch(20, 5).StopAt(35).Knowing());
  earlier.OnStream(Epoch(20, 5));
  last.OnStream(Epoch(20, 5).Knowing());
  const auto client =
      Connected({first.target(), earlier.target(), last.target()});
  Plan plan;
  plan.order.sampling.kind = SamplingKind::kDrawings;
  auto stream = client->Stream(plan);
  ASSERT_TRUE(stream.ok()) << stream.status();
  EXPECT_EQ(ReadAll(stream->get()), UpTo(100));
  EXPECT_EQ(earlier.streams_opened(), 1);
  EXPECT_EQ(last.streams_opened(), 1);
}

TEST(Stream, OpensAgainWhereTheServerRebalances) {
  FakeDrawingServer server;
  server.OnStream([](grpc::ServerContext*, BatchStream* stream) {
    v1::StreamBatchesRequest request;
    stream->Read(&request);
    const uint64_t position = request.open().cursor().position();
    if (position > 0) {
      return grpc::Status(grpc::StatusCode::DATA_LOSS,
                          "came back at " + std::to_string(position));
    }
    stream->Write(OpenedPart());
    stream->Write(BatchOf(0, 0, 5, 5));
    v1::BatchPart end = EndPart(0, 5);
    end.mutable_end()->set_reason(v1::StreamEnd::REASON_REBALANCE);
    stream->Write(end);
    return grpc::Status::OK;
  });
  const auto client = Connected({server.target()});
  auto stream = client->Stream({});
  ASSERT_TRUE(stream.ok()) << stream.status();
  absl::Status end;
  EXPECT_EQ(ReadAll(stream->get(), &end), UpTo(5));
  EXPECT_EQ(end.message(), "came back at 5");
}

TEST(Stream, AServerThatHangsIsLeftAtItsStallTimeout) {
  FakeDrawingServer first;
  FakeDrawingServer second;
  first.OnStream([](grpc::ServerContext* context, BatchStream* stream) {
    v1::StreamBatchesRequest request;
    stream->Read(&request);
    stream->Write(OpenedPart());
    stream->Write(BatchOf(0, 0, 5, 5));
    return UntilCancelled(context);
  });
  second.OnStream(Epoch(4, 5));
  ClientOptions options = Quick();
  options.stall_timeout = absl::Milliseconds(500);
  const auto client = Connected({first.target(), second.target()}, options);
  auto stream = client->Stream({});
  ASSERT_TRUE(stream.ok()) << stream.status();
  EXPECT_EQ(ReadAll(stream->get()), UpTo(20));
  const StreamStats stats = (*stream)->stats();
  EXPECT_EQ(stats.batches, 4U);
  EXPECT_GE(stats.reopened, 1U);
  EXPECT_EQ(stats.target, second.target());
}

TEST(Stream, AServerThatHangsAtTheOpeningIsLeftToo) {
  FakeDrawingServer first;
  FakeDrawingServer second;
  first.OnStream([](grpc::ServerContext* context, BatchStream*) {
    return UntilCancelled(context);
  });
  second.OnStream(Epoch(4, 5));
  ClientOptions options = Quick();
  options.call_timeout = absl::Seconds(4);
  const auto client = Connected({first.target(), second.target()}, options);
  auto stream = client->Stream({});
  ASSERT_TRUE(stream.ok()) << stream.status();
  EXPECT_EQ(ReadAll(stream->get()), UpTo(20));
}

TEST(Stream, AQuotaIsWaitedForAsLongAsTheServerSays) {
  FakeDrawingServer server;
  std::atomic<int> refusals{0};
  server.OnStream([&](grpc::ServerContext* context, BatchStream* stream) {
    if (refusals < 2) {
      ++refusals;
      return StatusWithReason(grpc::StatusCode::RESOURCE_EXHAUSTED, "full",
                              "TOO_MANY_STREAMS", 100);
    }
    return Epoch(4, 5)(context, stream);
  });
  const auto client = Connected({server.target()});
  const absl::Time began = absl::Now();
  auto stream = client->Stream({});
  ASSERT_TRUE(stream.ok()) << stream.status();
  EXPECT_GE(absl::Now() - began, absl::Milliseconds(200));
  EXPECT_EQ(ReadAll(stream->get()), UpTo(20));
}

TEST(Stream, AServerThatLeavesBehindTheLastBatchAllowedEndsItWell) {
  FakeDrawingServer server;
  server.OnStream([](grpc::ServerContext*, BatchStream* stream) {
    v1::StreamBatchesRequest request;
    stream->Read(&request);
    stream->Write(OpenedPart());
    stream->Write(BatchOf(0, 0, 5, 5));
    return StatusWithReason(grpc::StatusCode::UNAVAILABLE, "draining", "DRAIN",
                            0);
  });
  const auto client = Connected({server.target()});
  Plan plan;
  plan.delivery.max_batches = 1;
  auto stream = client->Stream(plan);
  ASSERT_TRUE(stream.ok()) << stream.status();
  EXPECT_EQ(ReadAll(stream->get()), UpTo(5));
  EXPECT_EQ(server.streams_opened(), 1);
}

struct Misbehaviour {
  const char* name;
  std::vector<v1::BatchPart> parts;
  const char* message;
};

class MisbehavingServer : public ::testing::TestWithParam<Misbehaviour> {};

TEST_P(MisbehavingServer, IsAnInternalError) {
  FakeDrawingServer server;
  server.OnStream([](grpc::ServerContext*, BatchStream* stream) {
    v1::StreamBatchesRequest request;
    stream->Read(&request);
    for (const v1::BatchPart& part : GetParam().parts) {
      stream->Write(part);
    }
    return grpc::Status::OK;
  });
  const auto client = Connected({server.target()});
  auto stream = client->Stream({});
  absl::Status end = stream.status();
  if (stream.ok()) {
    ReadAll(stream->get(), &end);
  }
  EXPECT_EQ(end.code(), absl::StatusCode::kInternal) << end;
  EXPECT_THAT(end.message(), HasSubstr(GetParam().message));
}

std::vector<v1::BatchPart> Many(int batches) {
  std::vector<v1::BatchPart> parts = {OpenedPart()};
  for (int i = 0; i < batches; ++i) {
    parts.push_back(BatchOf(i, i, 1, i + 1));
  }
  return parts;
}

v1::BatchPart Unfinished() {
  v1::BatchPart part = BatchOf(0, 0, 2, 2);
  part.mutable_batches(0)->set_part_count(2);
  part.mutable_data()->resize(8);
  return part;
}

INSTANTIATE_TEST_SUITE_P(
    Stream, MisbehavingServer,
    ::testing::Values(
        Misbehaviour{"SaysNothing", {}, "without an end part"},
        Misbehaviour{"NeverOpens", {BatchOf(0, 0, 1, 1)}, "before the first"},
        Misbehaviour{"OpensTwice", {OpenedPart(), OpenedPart()}, "second"},
        Misbehaviour{"EndsWithoutEnd",
                     {OpenedPart(), BatchOf(0, 0, 1, 1)},
                     "without an end part"},
        Misbehaviour{"EndsWithinABatch",
                     {OpenedPart(), Unfinished(), EndPart(1, 0)},
                     "within a batch"},
        Misbehaviour{"GoesOnAfterTheEnd",
                     {OpenedPart(), EndPart(1, 0), BatchOf(0, 0, 1, 1)},
                     "after the end"},
        Misbehaviour{"RepeatsABatch",
                     {OpenedPart(), BatchOf(0, 0, 1, 1), BatchOf(0, 0, 1, 1)},
                     "was due"}),
    [](const auto& info) { return info.param.name; });

TEST(MisbehavingServerTest, BatchesBeyondTheCreditAreAnInternalError) {
  FakeDrawingServer server;
  absl::Notification refused;
  server.OnStream([&](grpc::ServerContext* context, BatchStream* stream) {
    v1::StreamBatchesRequest request;
    stream->Read(&request);
    for (const v1::BatchPart& part : Many(100)) {
      stream->Write(part);
    }
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (!context->IsCancelled() && absl::Now() < deadline) {
      absl::SleepFor(absl::Milliseconds(1));
    }
    refused.Notify();
    return grpc::Status::OK;
  });
  const auto client = Connected({server.target()});
  auto stream = client->Stream({});
  absl::Status end = stream.status();
  if (stream.ok()) {
    // A reader that takes batches meanwhile would grant more.
    ASSERT_TRUE(refused.WaitForNotificationWithTimeout(absl::Seconds(60)));
    ReadAll(stream->get(), &end);
  }
  EXPECT_EQ(end.code(), absl::StatusCode::kInternal) << end;
  EXPECT_THAT(end.message(), HasSubstr("than were granted"));
}

}  // namespace
}  // namespace inkstream
