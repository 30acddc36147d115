#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
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
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using BatchStream = inkstream::testing::FakeDrawingServer::BatchStream;

// Sends as many batches of one drawing as are granted, and counts them.
FakeDrawingServer::StreamScript AsGranted(std::atomic<int>* sent) {
  return [sent](grpc::ServerContext*, BatchStream* stream) {
    v1::StreamBatchesRequest request;
    stream->Read(&request);
    stream->Write(OpenedPart());
    do {
      for (uint64_t credits = request.credits(); credits > 0; --credits) {
        stream->Write(BatchOf(*sent, *sent, 1, *sent + 1));
        ++*sent;
      }
    } while (stream->Read(&request));
    return grpc::Status::OK;
  };
}

TEST(Stream, GivesEveryBatchThenTheEndForEver) {
  FakeDrawingServer server;
  server.OnStream(Epoch(20, 5));
  const auto client = Connected({server.target()});
  auto stream = client->Stream({});
  ASSERT_TRUE(stream.ok()) << stream.status();
  EXPECT_EQ((*stream)->info().view_size, 100);
  EXPECT_THAT((*stream)->info().vocabulary, ElementsAre("cat"));
  EXPECT_EQ((*stream)->cursor().position, 0);
  for (int i = 0; i < 20; ++i) {
    auto batch = (*stream)->Next();
    ASSERT_TRUE(batch.ok()) << batch.status();
    ASSERT_TRUE(batch->has_value());
    EXPECT_EQ((*batch)->sequence(), i);
    EXPECT_EQ((*batch)->rows(), 5);
    EXPECT_EQ((*batch)->cursor()->position, 5 * (i + 1));
    EXPECT_EQ((*batch)->cursor()->order_plan, "the plan");
    EXPECT_EQ((*stream)->cursor(), (*batch)->cursor());
  }
  for (int i = 0; i < 3; ++i) {
    auto batch = (*stream)->Next();
    ASSERT_TRUE(batch.ok()) << batch.status();
    EXPECT_FALSE(batch->has_value());
  }
  EXPECT_EQ((*stream)->cursor().epoch, 1);
  EXPECT_EQ((*stream)->cursor().position, 0);
}

TEST(Stream, RefusesAServerThatWouldPassOverWhatWasAsked) {
  FakeDrawingServer earlier;
  earlier.OnStream(Epoch(20, 5));
  const auto client = Connected({earlier.target()});
  Plan weighted;
  weighted.order.sampling.kind = SamplingKind::kDrawings;
  Plan timed;
  timed.delivery.strokes.emplace().times = true;
  const auto refusal = [&client](const Plan& plan) {
    return client->Stream(plan).status();
  };
  EXPECT_EQ(refusal(weighted).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(refusal(weighted).message(),
              AllOf(HasSubstr("order.sampling.drawings"),
                    HasSubstr("an earlier release"), HasSubstr("update it")));
  EXPECT_EQ(refusal(timed).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(refusal(timed).message(), HasSubstr("delivery.strokes.times"));
}

TEST(Stream, NeverHasMoreAheadThanItAskedFor) {
  std::atomic<int> sent{0};
  FakeDrawingServer server;
  server.OnStream(AsGranted(&sent));
  ClientOptions options = Quick();
  options.read_ahead = 3;
  const auto client = Connected({server.target()}, options);
  auto stream = client->Stream({});
  ASSERT_TRUE(stream.ok()) << stream.status();
  for (int taken = 1; taken <= 10; ++taken) {
    auto batch = (*stream)->Next();
    ASSERT_TRUE(batch.ok() && batch->has_value());
    absl::SleepFor(absl::Milliseconds(20));
    EXPECT_LE(sent, taken + 3);
  }
  EXPECT_GE(sent, 11);
}

TEST(Stream, LargeBatchesAreFewerAhead) {
  std::atomic<int> sent{0};
  FakeDrawingServer server;
  server.OnStream(AsGranted(&sent));
  ClientOptions options = Quick();
  options.read_ahead = 8;
  options.max_read_ahead_bytes = 1;
  const auto client = Connected({server.target()}, options);
  auto stream = client->Stream({});
  ASSERT_TRUE(stream.ok()) << stream.status();
  for (int taken = 1; taken <= 20; ++taken) {
    auto batch = (*stream)->Next();
    ASSERT_TRUE(batch.ok() && batch->has_value());
    absl::SleepFor(absl::Milliseconds(10));
    // The first ones are asked for before their size is known.
    EXPECT_LE(sent, std::max(8, taken + 2));
  }
  EXPECT_GE(sent, 21);
}

TEST(Stream, WindowOfTheServerBoundsTheReadAhead) {
  std::atomic<uint64_t> granted{0};
  FakeDrawingServer server;
  server.OnStream([&](grpc::ServerContext*, BatchStream* stream) {
    v1::StreamBatchesRequest request;
    stream->Read(&request);
    granted += request.credits();
    stream->Write(OpenedPart(1000, /*credit_window=*/2));
    while (stream->Read(&request)) {
      granted += request.credits();
    }
    return grpc::Status::OK;
  });
  ClientOptions options = Quick();
  options.read_ahead = 8;
  const auto client = Connected({server.target()}, options);
  auto stream = client->Stream({});
  ASSERT_TRUE(stream.ok()) << stream.status();
  absl::SleepFor(absl::Milliseconds(50));
  EXPECT_LE(granted, 2);
}

TEST(Stream, OneThatIsGivenUpBeforeItBeganJustEnds) {
  FakeDrawingServer server;
  server.OnStream(Epoch(20, 5));
  ClientOptions options = Quick();
  options.call_timeout = absl::ZeroDuration();
  const auto client = Connected({server.target()}, options);
  for (int i = 0; i < 500; ++i) {
    const absl::Status status = client->Stream({}).status();
    // A server that answers before anybody looks at the clock is in time.
    EXPECT_TRUE(status.ok() || absl::IsDeadlineExceeded(status)) << status;
  }
}

TEST(Stream, ThreadsThatCannotBeHadAreAnError) {
  FakeDrawingServer server;
  server.OnStream(Epoch(20, 5));
  const auto client = Connected({server.target()});
  ASSERT_TRUE(client->Stream({}).ok());  // gRPC has its own threads then
  pthread_attr_t before;
  pthread_attr_t impossible;
  ASSERT_EQ(pthread_getattr_default_np(&before), 0);
  ASSERT_EQ(pthread_attr_init(&impossible), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&impossible, size_t{1} << 47U), 0);
  ASSERT_EQ(pthread_setattr_default_np(&impossible), 0);
  const auto stream = client->Stream({});
  ASSERT_EQ(pthread_setattr_default_np(&before), 0);
  EXPECT_EQ(stream.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(stream.status().message(), HasSubstr("no thread for a stream"));
}

TEST(Stream, RefusalOfThePlanIsTheServersOwn) {
  FakeDrawingServer server;
  server.OnStream([](grpc::ServerContext*, BatchStream*) {
    return StatusWithReason(grpc::StatusCode::NOT_FOUND,
                            "no split \"trian\"; nearest: \"train\"", "X");
  });
  const auto client = Connected({server.target()});
  const auto stream = client->Stream({});
  EXPECT_EQ(stream.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(stream.status().message(),
            "no split \"trian\"; nearest: \"train\"");
  EXPECT_EQ(ErrorReason(stream.status()), "X");
  EXPECT_EQ(server.streams_opened(), 1);
}

TEST(Stream, StrokesOfAServerThatDrawsOtherwiseAreRefused) {
  FakeDrawingServer server;
  server.OnStream([](grpc::ServerContext*, BatchStream* stream) {
    v1::StreamBatchesRequest request;
    stream->Read(&request);
    v1::BatchPart first = OpenedPart();
    first.mutable_opened()->set_codec(request.open().delivery().codec());
    first.mutable_opened()->set_raster_version(1000);
    stream->Write(first);
    stream->Read(&request);
    return grpc::Status::OK;
  });
  const auto client = Connected({server.target()});
  Plan plan;
  plan.delivery.image = ImageSpec{};
  plan.delivery.codec = Codec::kStrokes;
  const absl::Status refused = client->Stream(plan).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << refused;
  for (const char* said : {"raster version 1000", "codec none"}) {
    EXPECT_THAT(std::string(refused.message()), HasSubstr(said));
  }
  // Pixels are the server's own, however it draws.
  plan.delivery.codec = Codec::kNone;
  EXPECT_TRUE(client->Stream(plan).ok());
}

TEST(Stream, ZerosThatTheWireWouldReadAsDefaultsAreRefused) {
  FakeDrawingServer server;
  const auto client = Connected({server.target()});
  Plan plan;
  plan.delivery.batch_size = 0;
  EXPECT_THAT(client->Stream(plan).status().message(),
              HasSubstr("delivery.batch_size = 0"));
  plan = {};
  plan.delivery.epochs = 0;
  EXPECT_EQ(client->Stream(plan).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(server.streams_opened(), 0);
}

TEST(Stream, ErrorInMidStreamComesAfterTheBatchesBeforeIt) {
  FakeDrawingServer server;
  server.OnStream([](grpc::ServerContext*, BatchStream* stream) {
    v1::StreamBatchesRequest request;
    stream->Read(&request);
    stream->Write(OpenedPart());
    stream->Write(BatchOf(0, 0, 3, 3));
    return grpc::Status(grpc::StatusCode::DATA_LOSS, "record 7 is damaged");
  });
  const auto client = Connected({server.target()});
  auto stream = client->Stream({});
  ASSERT_TRUE(stream.ok()) << stream.status();
  absl::Status end;
  EXPECT_EQ(ReadAll(stream->get(), &end), UpTo(3));
  EXPECT_EQ(end, absl::DataLossError("record 7 is damaged"));
  EXPECT_EQ((*stream)->Next().status(), end) << "an error stays";
}

TEST(Stream, WithoutProgressEndsAtItsStallTimeout) {
  FakeDrawingServer server;
  server.OnStream([](grpc::ServerContext* context, BatchStream* stream) {
    v1::StreamBatchesRequest request;
    stream->Read(&request);
    stream->Write(OpenedPart());
    return UntilCancelled(context);
  });
  ClientOptions options = Quick();
  options.stall_timeout = absl::Milliseconds(200);
  options.failover_timeout = absl::ZeroDuration();
  const auto client = Connected({server.target()}, options);
  auto stream = client->Stream({});
  ASSERT_TRUE(stream.ok()) << stream.status();
  const auto batch = (*stream)->Next();
  EXPECT_EQ(batch.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(batch.status().message(), HasSubstr(server.target()));
}

TEST(Stream, OpeningThatIsNotAnsweredEndsAtItsTimeout) {
  FakeDrawingServer server;
  server.OnStream([](grpc::ServerContext* context, BatchStream*) {
    return UntilCancelled(context);
  });
  ClientOptions options = Quick();
  options.call_timeout = absl::Milliseconds(200);
  const auto client = Connected({server.target()}, options);
  EXPECT_EQ(client->Stream({}).status().code(),
            absl::StatusCode::kDeadlineExceeded);
}

TEST(Stream, CancelWakesItsReader) {
  FakeDrawingServer server;
  std::atomic<bool> gone{false};
  server.OnStream([&](grpc::ServerContext* context, BatchStream* stream) {
    v1::StreamBatchesRequest request;
    stream->Read(&request);
    stream->Write(OpenedPart());
    grpc::Status cancelled = UntilCancelled(context);
    gone = true;
    return cancelled;
  });
  const auto client = Connected({server.target()});
  auto stream = client->Stream({});
  ASSERT_TRUE(stream.ok()) << stream.status();
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    (*stream)->Cancel();
  });
  EXPECT_EQ((*stream)->Next().status().code(), absl::StatusCode::kCancelled);
  canceller.join();
  EXPECT_EQ((*stream)->Next().status().code(), absl::StatusCode::kCancelled);
  stream->reset();
  for (int i = 0; i < 1000 && !gone; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_TRUE(gone) << "the server learns of it";
}

TEST(Stream, BatchesOutliveStreamAndClient) {
  FakeDrawingServer server;
  server.OnStream(Epoch(3, 5));
  std::optional<Batch> kept;
  {
    const auto client = Connected({server.target()});
    auto stream = client->Stream({});
    ASSERT_TRUE(stream.ok()) << stream.status();
    kept = *(*stream)->Next();
  }
  EXPECT_THAT(*kept->Values<int64_t>("index"), ElementsAre(0, 1, 2, 3, 4));
}

TEST(Stream, OfAServerThatHasNoSuchCodecIsDrawnByItWithAReason) {
  FakeDrawingServer server;
  server.OnStream([](grpc::ServerContext*, BatchStream* stream) {
    v1::StreamBatchesRequest request;
    stream->Read(&request);
    if (request.open().delivery().codec() == v1::CODEC_STROKES) {
      return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT,
                          "delivery.codec: 4 is not offered by this server; "
                          "offered: CODEC_NONE, CODEC_ZSTD");
    }
    stream->Write(OpenedPart());
    stream->Write(BatchOf(0, 0, 5, 5));
    stream->Write(EndPart(1, 0));
    return grpc::Status::OK;
  });
  const auto client = Connected({server.target()});
  auto stream = client->Stream({});
  ASSERT_TRUE(stream.ok()) << stream.status();
  EXPECT_EQ(ReadAll(stream->get()), UpTo(5));
  EXPECT_EQ((*stream)->info().codec, Codec::kNone);
  EXPECT_THAT((*stream)->info().codec_reason, HasSubstr("4 is not offered"));
  EXPECT_EQ(server.streams_opened(), 2);
  EXPECT_EQ((*stream)->stats().reopened, 0U);
}

}  // namespace
}  // namespace inkstream
