#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "inkstream/inkstream.h"
#include "tests/support/fake_drawing_server.h"
#include "tests/support/scripted_stream.h"

namespace inkstream {
namespace {

using inkstream::testing::BatchOf;
using inkstream::testing::EndPart;
using inkstream::testing::Epoch;
using inkstream::testing::FakeDrawingServer;
using inkstream::testing::OpenedPart;
using inkstream::testing::StatusWithReason;
using inkstream::testing::UpTo;
using ::testing::HasSubstr;
using BatchStream = FakeDrawingServer::BatchStream;

constexpr double kForAsLongAsItTakes = -1;

struct CloseChannel {
  void operator()(ik_channel* channel) const { ik_channel_close(channel); }
};
struct CloseStream {
  void operator()(ik_call* stream) const { ik_call_close(stream); }
};
using Channel = std::unique_ptr<ik_channel, CloseChannel>;
using Call = std::unique_ptr<ik_call, CloseStream>;

Channel ChannelTo(const std::string& target) {
  ik_channel_options options = {};
  options.target = target.c_str();
  return Channel(ik_channel_open(&options));
}

Call OpenedOn(ik_channel* channel, uint32_t read_ahead = 8,
              double stall_seconds = 30) {
  v1::StreamBatchesRequest request;
  request.mutable_open();
  const std::string bytes = request.SerializeAsString();
  ik_call_options options = {};
  options.request = reinterpret_cast<const uint8_t*>(bytes.data());
  options.request_size = bytes.size();
  options.stall_seconds = stall_seconds;
  options.read_ahead = read_ahead;
  return Call(ik_call_open(channel, &options));
}

ik_event Read(const Call& call, double wait = kForAsLongAsItTakes) {
  ik_event event;
  std::memset(&event, 0xee, sizeof(event));  // whatever a caller leaves there
  ik_call_read(call.get(), wait, &event);
  return event;
}

template <typename Message>
Message Told(const ik_event& event) {
  Message message;
  EXPECT_TRUE(message.ParseFromArray(event.header,
                                     static_cast<int>(event.header_size)));
  return message;
}

std::vector<int64_t> IndicesOf(const ik_event& event) {
  std::vector<int64_t> indices(event.data_size / sizeof(int64_t));
  std::memcpy(indices.data(), event.data, indices.size() * sizeof(int64_t));
  return indices;
}

std::string MessageOf(const ik_event& event) {
  return {event.message, event.message_size};
}

// Says that it is there, then what `then` does.
FakeDrawingServer::StreamScript Opened(FakeDrawingServer::StreamScript then) {
  return [then = std::move(then)](grpc::ServerContext* context,
                                  BatchStream* stream) {
    v1::StreamBatchesRequest request;
    stream->Read(&request);
    stream->Write(OpenedPart());
    return then(context, stream);
  };
}

grpc::Status UntilItGoes(grpc::ServerContext*, BatchStream* stream) {
  v1::StreamBatchesRequest request;
  while (stream->Read(&request)) {
  }
  return grpc::Status::OK;
}

TEST(CInterface, GivesTheOpeningEveryBatchThenTheEnd) {
  FakeDrawingServer server;
  server.OnStream(Epoch(20, 5));
  const Channel channel = ChannelTo(server.target());
  const Call call = OpenedOn(channel.get());
  const ik_event opened = Read(call);
  ASSERT_EQ(opened.kind, IK_OPENED) << MessageOf(opened);
  EXPECT_EQ(Told<v1::StreamOpened>(opened).view_size(), 100);
  std::vector<int64_t> seen;
  for (uint64_t i = 0; i < 20; ++i) {
    const ik_event event = Read(call);
    ASSERT_EQ(event.kind, IK_BATCH) << MessageOf(event);
    EXPECT_EQ(event.cursor_position, 5 * (i + 1));
    EXPECT_EQ(event.wire_bytes, event.data_size);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(event.data) % 64, 0);
    for (const int64_t index : IndicesOf(event)) seen.push_back(index);
    ik_buffer_release(event.buffer);
  }
  EXPECT_EQ(seen, UpTo(100));
  const ik_event end = Read(call);
  ASSERT_EQ(end.kind, IK_END);
  EXPECT_EQ(Told<v1::StreamEnd>(end).cursor().epoch(), 1);
  EXPECT_EQ(Read(call).kind, IK_ERROR);
  EXPECT_EQ(Read(call).kind, IK_ERROR);
}

TEST(CInterface, WhatIsQueuedIsCountedInBatchesWithoutTheEnd) {
  FakeDrawingServer server;
  server.OnStream(Opened([](grpc::ServerContext*, BatchStream* stream) {
    v1::StreamBatchesRequest request;
    stream->Read(&request);  // credits
    stream->Write(BatchOf(0, 0, 5, 5));
    stream->Write(BatchOf(1, 5, 5, 10));
    stream->Write(EndPart(1, 0));
    return grpc::Status::OK;
  }));
  const Channel channel = ChannelTo(server.target());
  bool seen_whole = false;
  for (int attempt = 0; attempt < 1000 && !seen_whole; ++attempt) {
    const Call call = OpenedOn(channel.get(), /*read_ahead=*/0);
    ASSERT_EQ(Read(call).kind, IK_OPENED);
    ik_call_grant(call.get(), 2);
    while (ik_call_queued(call.get()) < 2) std::this_thread::yield();
    const ik_event first = Read(call);
    ASSERT_EQ(first.kind, IK_BATCH) << MessageOf(first);
    ik_buffer_release(first.buffer);
    seen_whole = first.goes_on == 0;
    EXPECT_EQ(ik_call_queued(call.get()), 1);
  }
  EXPECT_TRUE(seen_whole) << "the end never came in time";
}

TEST(CInterface, TheHeaderComesOnlyWhereItSaysSomethingNew) {
  FakeDrawingServer server;
  server.OnStream(Opened([](grpc::ServerContext*, BatchStream* stream) {
    v1::StreamBatchesRequest request;
    stream->Read(&request);  // credits
    uint64_t sequence = 0;
    int64_t first = 0;
    for (const int64_t rows : {4, 4, 4, 3, 3, 4}) {
      stream->Write(BatchOf(sequence++, first, rows, first + rows));
      first += rows;
    }
    stream->Write(EndPart(1, 0));
    return grpc::Status::OK;
  }));
  const Channel channel = ChannelTo(server.target());
  const Call call = OpenedOn(channel.get());
  ASSERT_EQ(Read(call).kind, IK_OPENED);
  std::vector<int64_t> rows;
  for (int i = 0; i < 6; ++i) {
    const ik_event event = Read(call);
    ASSERT_EQ(event.kind, IK_BATCH) << MessageOf(event);
    rows.push_back(event.header_size == 0
                       ? 0
                       : Told<v1::BatchHeader>(event).tensors(0).shape(0));
    ik_buffer_release(event.buffer);
  }
  EXPECT_EQ(rows, (std::vector<int64_t>{4, 0, 0, 3, 0, 4}));
}

TEST(CInterface, AWaitThatWasTooShortIsNoEventAndLosesNone) {
  absl::Notification go;
  FakeDrawingServer server;
  server.OnStream([&](grpc::ServerContext* context, BatchStream* stream) {
    go.WaitForNotification();
    return Epoch(3, 2)(context, stream);
  });
  const Channel channel = ChannelTo(server.target());
  const Call call = OpenedOn(channel.get());
  for (int i = 0; i < 3; ++i) {
    const ik_event event = Read(call, 0.01);
    EXPECT_EQ(event.kind, IK_NOTHING);
    EXPECT_EQ(event.goes_on, 1);
  }
  EXPECT_EQ(Read(call, 0).kind, IK_NOTHING);
  go.Notify();
  EXPECT_EQ(Read(call).kind, IK_OPENED);
  const ik_event batch = Read(call);
  EXPECT_EQ(IndicesOf(batch), UpTo(2));
  ik_buffer_release(batch.buffer);
}

TEST(CInterface, GrantsNothingBeforeABatchIsReadAndThenTheWindow) {
  std::atomic<uint64_t> granted{0};
  absl::Notification asked;
  FakeDrawingServer server;
  server.OnStream(Opened([&](grpc::ServerContext*, BatchStream* stream) {
    v1::StreamBatchesRequest request;
    uint64_t sent = 0;
    while (stream->Read(&request)) {
      granted += request.credits();
      if (!asked.HasBeenNotified()) asked.Notify();
      while (sent < granted) {
        stream->Write(BatchOf(sent, static_cast<int64_t>(sent), 1, sent + 1));
        ++sent;
      }
    }
    return grpc::Status::OK;
  }));
  const Channel channel = ChannelTo(server.target());
  const Call call = OpenedOn(channel.get(), /*read_ahead=*/3);
  ASSERT_EQ(Read(call).kind, IK_OPENED);
  EXPECT_FALSE(asked.WaitForNotificationWithTimeout(absl::Milliseconds(50)));
  for (uint64_t taken = 1; taken <= 20; ++taken) {
    const ik_event event = Read(call);
    ASSERT_EQ(event.kind, IK_BATCH) << MessageOf(event);
    EXPECT_LE(granted, taken + 3);
    EXPECT_LE(event.queued, 3);
    EXPECT_LE(ik_call_queued(call.get()), 3);
    ik_buffer_release(event.buffer);
  }
}

TEST(CInterface, CancelWakesAReaderOnAnotherThread) {
  FakeDrawingServer server;
  absl::Notification there;
  server.OnStream(Opened([&](grpc::ServerContext* context, BatchStream* s) {
    there.Notify();
    return UntilItGoes(context, s);
  }));
  const Channel channel = ChannelTo(server.target());
  const Call call = OpenedOn(channel.get());
  ASSERT_EQ(Read(call).kind, IK_OPENED);
  ik_event event = {};
  std::thread reader([&] { event = Read(call); });
  there.WaitForNotification();
  ik_call_cancel(call.get());
  ik_call_cancel(call.get());
  reader.join();
  EXPECT_EQ(event.kind, IK_ERROR);
  EXPECT_EQ(event.origin, IK_CANCELLED);
  EXPECT_EQ(event.goes_on, 0);
}

TEST(CInterface, AServerThatOwesAndIsSilentHasStalled) {
  FakeDrawingServer server;
  server.OnStream(Opened(UntilItGoes));
  const Channel channel = ChannelTo(server.target());
  const Call call = OpenedOn(channel.get(), 8, /*stall_seconds=*/0.2);
  ASSERT_EQ(Read(call).kind, IK_OPENED);
  ik_event event = {};
  do {
    event = Read(call, 0.05);  // as one that looks after signals in between
  } while (event.kind == IK_NOTHING);
  EXPECT_EQ(event.kind, IK_ERROR);
  EXPECT_EQ(event.origin, IK_STALLED);
}

TEST(CInterface, WhatCameComesFirstThenTheErrorInTheServersWords) {
  FakeDrawingServer server;
  server.OnStream(Epoch(20, 5).StopAt(40));
  const Channel channel = ChannelTo(server.target());
  const Call call = OpenedOn(channel.get());
  ASSERT_EQ(Read(call).kind, IK_OPENED);
  uint64_t position = 0;
  ik_event event = {};
  while ((event = Read(call)).kind == IK_BATCH) {
    position = event.cursor_position;
    ik_buffer_release(event.buffer);
  }
  EXPECT_EQ(position, 40);
  ASSERT_EQ(event.kind, IK_ERROR);
  EXPECT_EQ(event.origin, IK_FROM_SERVER);
  EXPECT_EQ(event.code, static_cast<uint32_t>(grpc::StatusCode::UNAVAILABLE));
  EXPECT_EQ(event.goes_on, 0);
  EXPECT_THAT(MessageOf(event), HasSubstr("draining"));
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromArray(event.details,
                                     static_cast<int>(event.details_size)));
  google::rpc::ErrorInfo info;
  bool found = false;
  for (const auto& detail : details.details()) {
    found = found || detail.UnpackTo(&info);
  }
  EXPECT_TRUE(found);
  EXPECT_EQ(info.reason(), "DRAIN");
}

TEST(CInterface, AServerThatBreaksTheProtocolIsToldFromOneThatFails) {
  FakeDrawingServer server;
  server.OnStream([](grpc::ServerContext*, BatchStream* stream) {
    v1::StreamBatchesRequest request;
    stream->Read(&request);
    stream->Write(BatchOf(0, 0, 1, 1));  // before the opening
    return grpc::Status::OK;
  });
  const Channel channel = ChannelTo(server.target());
  const Call call = OpenedOn(channel.get());
  const ik_event event = Read(call);
  ASSERT_EQ(event.kind, IK_ERROR);
  EXPECT_EQ(event.origin, IK_BROKEN);
  EXPECT_THAT(MessageOf(event), HasSubstr("broke the protocol"));
}

TEST(CInterface, MemoryOutlivesItsStreamAndComesBackInAnyOrder) {
  FakeDrawingServer server;
  server.OnStream(Epoch(4, 1000));
  Channel channel = ChannelTo(server.target());
  Call call = OpenedOn(channel.get());
  channel.reset();  // the stream keeps the connection
  ASSERT_EQ(Read(call).kind, IK_OPENED);
  std::vector<ik_event> held;
  for (int i = 0; i < 4; ++i) held.push_back(Read(call));
  call.reset();
  for (const size_t i : {2, 0, 3, 1}) {
    ASSERT_EQ(held[i].kind, IK_BATCH);
    EXPECT_EQ(IndicesOf(held[i]).front(), static_cast<int64_t>(1000 * i));
    EXPECT_EQ(IndicesOf(held[i]).back(), static_cast<int64_t>(1000 * i + 999));
    ik_buffer_release(held[i].buffer);
  }
}

TEST(CInterface, NothingComesOfArgumentsThatAreMissingOrBad) {
  EXPECT_EQ(ik_channel_open(nullptr), nullptr);
  const ik_channel_options nowhere = {};
  EXPECT_EQ(ik_channel_open(&nowhere), nullptr);
  const Channel channel = ChannelTo("127.0.0.1:1");
  ik_call_options options = {};
  EXPECT_EQ(ik_call_open(nullptr, &options), nullptr);
  EXPECT_EQ(ik_call_open(channel.get(), nullptr), nullptr);
  options.request_size = 5;  // of no bytes at all
  EXPECT_EQ(ik_call_open(channel.get(), &options), nullptr);
  const uint8_t garbage[] = {0xff, 0xff, 0xff};
  options.request = garbage;
  options.request_size = sizeof(garbage);
  EXPECT_EQ(ik_call_open(channel.get(), &options), nullptr);
  ik_channel_close(nullptr);
  ik_call_close(nullptr);
  ik_call_cancel(nullptr);
  ik_call_grant(nullptr, 1);
  ik_buffer_release(nullptr);
}

}  // namespace
}  // namespace inkstream
