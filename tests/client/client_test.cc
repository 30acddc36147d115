#include "inkstream/client.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inkstream/errors.h"
#include "tests/support/fake_drawing_server.h"

namespace inkstream {
namespace {

using inkstream::testing::BatchOf;
using inkstream::testing::CursorAt;
using inkstream::testing::EndPart;
using inkstream::testing::FakeDrawingServer;
using inkstream::testing::OpenedPart;
using inkstream::testing::StatusWithReason;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using BatchStream = FakeDrawingServer::BatchStream;

// Short enough for tests, long enough for a busy machine.
ClientOptions Quick() {
  ClientOptions options;
  options.connect_timeout = absl::Seconds(10);
  options.call_timeout = absl::Seconds(10);
  options.stall_timeout = absl::Seconds(10);
  options.failover_timeout = absl::Seconds(10);
  return options;
}

std::shared_ptr<Client> Connected(const std::vector<std::string>& targets,
                                  const ClientOptions& options = Quick()) {
  auto client = Client::Connect(targets, options);
  EXPECT_TRUE(client.ok()) << client.status();
  return *std::move(client);
}

// Sends `batches` batches of `rows` rows from the request's cursor on, only as
// credit allows, then the end.
class Epoch {
 public:
  Epoch(int batches, int rows) : batches_(batches), rows_(rows) {}

  grpc::Status operator()(grpc::ServerContext*, BatchStream* stream) {
    v1::StreamBatchesRequest request;
    if (!stream->Read(&request)) {
      return grpc::Status(grpc::StatusCode::CANCELLED, "gone");
    }
    uint64_t position = request.open().cursor().position();
    const auto total = static_cast<uint64_t>(batches_) * rows_;
    stream->Write(OpenedPart(total));
    uint64_t credits = request.credits();
    for (uint64_t sequence = 0; position < total; ++sequence) {
      while (credits == 0) {
        if (!stream->Read(&request)) {
          return grpc::Status(grpc::StatusCode::CANCELLED, "gone");
        }
        credits += request.credits();
      }
      --credits;
      const auto first = static_cast<int64_t>(position);
      position += rows_;
      if (stop_at_ > 0 && position > stop_at_) {
        return StatusWithReason(grpc::StatusCode::UNAVAILABLE, "draining",
                                "DRAIN", 0);
      }
      stream->Write(BatchOf(sequence, first, rows_, position));
    }
    stream->Write(EndPart(1, 0));
    return grpc::Status::OK;
  }

  Epoch& StopAt(uint64_t position) {
    stop_at_ = position;
    return *this;
  }

 private:
  int batches_;
  int rows_;
  uint64_t stop_at_ = 0;
};

std::vector<int64_t> ReadAll(Stream* stream, absl::Status* end = nullptr) {
  std::vector<int64_t> indices;
  for (;;) {
    auto batch = stream->Next();
    if (!batch.ok()) {
      if (end != nullptr) {
        *end = batch.status();
      } else {
        ADD_FAILURE() << batch.status();
      }
      return indices;
    }
    if (!batch->has_value()) {
      return indices;
    }
    const auto values = (*batch)->Values<int64_t>("index");
    EXPECT_TRUE(values.ok()) << values.status();
    indices.insert(indices.end(), values->begin(), values->end());
  }
}

std::vector<int64_t> UpTo(int64_t count) {
  std::vector<int64_t> numbers(count);
  for (int64_t i = 0; i < count; ++i) {
    numbers[i] = i;
  }
  return numbers;
}

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
  options.read_ahead = 0;
  EXPECT_THAT(Client::Connect({"localhost:1"}, options).status().message(),
              HasSubstr("read_ahead = 0"));
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
    EXPECT_EQ((*batch)->cursor().position, 5 * (i + 1));
    EXPECT_EQ((*batch)->cursor().order_plan, "the plan");
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

TEST(Stream, NeverHasMoreAheadThanItAskedFor) {
  std::atomic<int> sent{0};
  FakeDrawingServer server;
  server.OnStream([&](grpc::ServerContext*, BatchStream* stream) {
    v1::StreamBatchesRequest request;
    stream->Read(&request);
    stream->Write(OpenedPart());
    uint64_t credits = request.credits();
    for (;;) {
      for (; credits > 0; --credits) {
        stream->Write(BatchOf(sent, sent, 1, sent + 1));
        ++sent;
      }
      if (!stream->Read(&request)) {
        return grpc::Status::OK;
      }
      credits = request.credits();
    }
  });
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
    while (!context->IsCancelled()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return grpc::Status::CANCELLED;
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

TEST(Stream, WithAStrideReportsTheLossInsteadOfGuessingItsPhase) {
  FakeDrawingServer server;
  server.OnStream(Epoch(20, 5).StopAt(35));
  const auto client = Connected({server.target()});
  Plan plan;
  plan.delivery.step_stride = 2;
  auto stream = client->Stream(plan);
  ASSERT_TRUE(stream.ok()) << stream.status();
  absl::Status end;
  EXPECT_EQ(ReadAll(stream->get(), &end), UpTo(35));
  EXPECT_EQ(end.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ErrorReason(end), "DRAIN");
  EXPECT_EQ(server.streams_opened(), 1);
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
  const auto client = Connected({first.target(), second.target()});
  auto stream = client->Stream({});
  ASSERT_TRUE(stream.ok()) << stream.status();
  absl::Status end;
  ReadAll(stream->get(), &end);
  EXPECT_EQ(end.code(), absl::StatusCode::kFailedPrecondition) << end;
  EXPECT_THAT(end.message(), HasSubstr("raster version"));
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

TEST(Stream, WithoutProgressEndsAtItsStallTimeout) {
  FakeDrawingServer server;
  server.OnStream([](grpc::ServerContext* context, BatchStream* stream) {
    v1::StreamBatchesRequest request;
    stream->Read(&request);
    stream->Write(OpenedPart());
    while (!context->IsCancelled()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return grpc::Status::CANCELLED;
  });
  ClientOptions options = Quick();
  options.stall_timeout = absl::Milliseconds(200);
  const auto client = Connected({server.target()}, options);
  auto stream = client->Stream({});
  ASSERT_TRUE(stream.ok()) << stream.status();
  const auto batch = (*stream)->Next();
  EXPECT_EQ(batch.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(batch.status().message(), HasSubstr(server.target()));
}

TEST(Stream, OpeningThatIsNotAnsweredEndsAtItsTimeout) {
  FakeDrawingServer server;
  server.OnStream([](grpc::ServerContext* context, BatchStream*) {
    while (!context->IsCancelled()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return grpc::Status::CANCELLED;
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
    while (!context->IsCancelled()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    gone = true;
    return grpc::Status::CANCELLED;
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
        Misbehaviour{"SendsWithoutCredit", Many(100), "than were granted"},
        Misbehaviour{"RepeatsABatch",
                     {OpenedPart(), BatchOf(0, 0, 1, 1), BatchOf(0, 0, 1, 1)},
                     "was due"}),
    [](const auto& info) { return info.param.name; });

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

}  // namespace
}  // namespace inkstream
