// What the C interface answers where memory and threads are short: an error,
// and the caller's process lives.

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inkstream/inkstream.h"
#include "inkstream/v1/service.pb.h"
#include "tests/support/fake_drawing_server.h"
#include "tests/support/scripted_stream.h"

namespace {

// What the tests make is about as large, and nothing of gRPC's own is.
constexpr size_t kLarge = 1'234'567;

bool IsLarge(size_t size) { return size >= kLarge && size < kLarge + 4096; }

// Such allocations fail: on this thread, on all that are not the test's.
thread_local bool refused_here = false;
thread_local bool is_the_tests = false;
std::atomic<bool> refused_elsewhere{false};

}  // namespace

void* operator new(size_t size) {
  const bool refused =
      IsLarge(size) && (refused_here || (refused_elsewhere && !is_the_tests));
  void* const memory = refused ? nullptr : std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace inkstream {
namespace {

using inkstream::testing::FakeDrawingServer;
using inkstream::testing::OpenedPart;
using ::testing::HasSubstr;
using BatchStream = FakeDrawingServer::BatchStream;

class CInterfaceFailure : public ::testing::Test {
 protected:
  CInterfaceFailure() {
    is_the_tests = true;
    large_.mutable_opened()->mutable_cursor()->set_order_plan(
        std::string(kLarge, 'x'));
    server_.OnStream([this](grpc::ServerContext*, BatchStream* stream) {
      is_the_tests = true;
      v1::StreamBatchesRequest request;
      stream->Read(&request);
      stream->Write(large_);
      while (stream->Read(&request)) {
      }
      return grpc::Status::OK;
    });
    server_.OnFetch([this](const v1::FetchDrawingsRequest&,
                           grpc::ServerWriter<v1::BatchPart>* writer) {
      writer->Write(large_);
      return grpc::Status::OK;
    });
    ik_channel_options options = {};
    options.target = server_.target().c_str();
    options.max_message_bytes = 4 * kLarge;
    channel_ = ik_channel_open(&options);
  }

  ~CInterfaceFailure() override {
    refused_here = refused_elsewhere = false;
    ik_call_close(stream_);
    ik_channel_close(channel_);
  }

  ik_call* Open() {
    ik_call_options options = {};
    options.stall_seconds = 30;
    return ik_call_open(channel_, &options);
  }

  static ik_event Read(ik_call* stream) {
    ik_event event = {};
    ik_call_read(stream, -1, &event);
    return event;
  }

  static void ExpectFailed(const ik_event& event) {
    EXPECT_EQ(event.kind, IK_ERROR);
    EXPECT_EQ(event.origin, IK_FAILED);
    EXPECT_EQ(std::string(event.message, event.message_size), "std::bad_alloc");
  }

  v1::BatchPart large_ = OpenedPart();
  FakeDrawingServer server_;
  ik_channel* channel_ = nullptr;
  ik_call* stream_ = nullptr;
};

TEST_F(CInterfaceFailure, NoMemoryForAChannel) {
  const std::string target = "dns:///" + std::string(kLarge, 'x') + ":1";
  ik_channel_options options = {};
  options.target = target.c_str();
  refused_here = true;
  EXPECT_EQ(ik_channel_open(&options), nullptr);
  EXPECT_STREQ(ik_last_error(), "std::bad_alloc");
}

TEST_F(CInterfaceFailure, NoMemoryForARequest) {
  v1::StreamBatchesRequest request;
  request.set_dataset(std::string(kLarge, 'x'));
  const std::string bytes = request.SerializeAsString();
  ik_call_options options = {};
  options.request = reinterpret_cast<const uint8_t*>(bytes.data());
  options.request_size = bytes.size();
  refused_here = true;
  EXPECT_EQ(ik_call_open(channel_, &options), nullptr);
  EXPECT_STREQ(ik_last_error(), "std::bad_alloc");
}

TEST_F(CInterfaceFailure, NoThreadForAStream) {
  stream_ = Open();  // gRPC has its own threads then
  ASSERT_EQ(Read(stream_).kind, IK_OPENED);
  pthread_attr_t before;
  pthread_attr_t impossible;
  ASSERT_EQ(pthread_getattr_default_np(&before), 0);
  ASSERT_EQ(pthread_attr_init(&impossible), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&impossible, size_t{1} << 47U), 0);
  ASSERT_EQ(pthread_setattr_default_np(&impossible), 0);
  ik_call* const none = Open();
  ASSERT_EQ(pthread_setattr_default_np(&before), 0);
  EXPECT_EQ(none, nullptr);
  EXPECT_THAT(ik_last_error(), HasSubstr("Resource temporarily unavailable"));
  ik_call_close(none);
}

TEST_F(CInterfaceFailure, NoMemoryOnTheReadingThread) {
  refused_elsewhere = true;
  stream_ = Open();
  ASSERT_NE(stream_, nullptr);
  ExpectFailed(Read(stream_));
  EXPECT_EQ(Read(stream_).kind, IK_ERROR);
}

TEST_F(CInterfaceFailure, NoMemoryForAnEvent) {
  stream_ = Open();
  ASSERT_NE(stream_, nullptr);
  refused_here = true;
  ExpectFailed(Read(stream_));
  const ik_event next = Read(stream_);
  EXPECT_EQ(next.kind, IK_ERROR);
  EXPECT_EQ(next.origin, IK_CANCELLED);
}

TEST_F(CInterfaceFailure, NoMemoryForAFetch) {
  ik_fetch_options options = {};
  options.timeout_seconds = 30;
  ik_fetch* const fetch = ik_fetch_open(channel_, &options);
  ASSERT_NE(fetch, nullptr);
  refused_here = true;
  ik_event opened = {};
  ik_event batch = {};
  while (ik_fetch_wait(fetch, 1, &opened, &batch) == 0) {
  }
  EXPECT_EQ(opened.kind, IK_NOTHING);
  ExpectFailed(batch);
  refused_here = false;
  ik_fetch_close(fetch);
}

}  // namespace
}  // namespace inkstream
