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
#include "tests/client/served_messages.h"

namespace {

// What the tests make is about as large, and nothing else is.
constexpr size_t kLarge = 1'234'567;

// Such allocations fail on this thread.
thread_local bool refused = false;

}  // namespace

void* operator new(size_t size) {
  const bool large = size >= kLarge && size < kLarge + 4096;
  void* const memory =
      refused && large ? nullptr : std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace inkstream {
namespace {

using testing::Failure;
using testing::Feed;
using ::testing::HasSubstr;
using testing::Memory;
using testing::Receive;
using testing::RowsRequest;
using testing::ServedMessages;
using testing::StreamHandle;

class EngineFailureTest : public ::testing::Test {
 protected:
  ~EngineFailureTest() override { refused = false; }

  const v1::StreamBatchesRequest request_ = RowsRequest();
  const ServedMessages served_ = testing::FakeService().Serve(request_);
};

TEST_F(EngineFailureTest, NoMemoryForARequest) {
  v1::StreamBatchesRequest request = request_;
  request.set_dataset(std::string(kLarge, 'x'));
  const std::string bytes = request.SerializeAsString();
  ik_receive_options options = {};
  options.struct_size = sizeof(options);
  options.request = reinterpret_cast<const uint8_t*>(bytes.data());
  options.request_size = bytes.size();
  ik_stream* stream = nullptr;
  refused = true;
  const Failure failure(ik_stream_receive(&options, &stream));
  EXPECT_EQ(failure.code, static_cast<uint32_t>(IK_NO_MEMORY));
  EXPECT_EQ(stream, nullptr);
}

TEST_F(EngineFailureTest, NoMemoryForAMessage) {
  const StreamHandle stream = Receive(request_, served_.opened);
  v1::BatchPart part = served_.parts[0];
  part.mutable_end()->mutable_cursor()->set_order_plan(
      std::string(kLarge, 'x'));
  const std::string bytes = part.SerializeAsString();
  uint32_t whole = 0;
  refused = true;
  const Failure failure(ik_stream_feed(
      stream.get(), reinterpret_cast<const uint8_t*>(bytes.data()),
      bytes.size(), &whole));
  EXPECT_EQ(failure.code, static_cast<uint32_t>(IK_NO_MEMORY));
}

TEST_F(EngineFailureTest, NoThreadThatDraws) {
  const StreamHandle stream = Receive(request_, served_.opened);
  ASSERT_EQ(Feed(stream.get(), served_.parts[0].SerializeAsString()).text, "");
  Memory memory(ik_stream_batch_bytes(stream.get()));
  pthread_attr_t before;
  pthread_attr_t impossible;
  ASSERT_EQ(pthread_getattr_default_np(&before), 0);
  ASSERT_EQ(pthread_attr_init(&impossible), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&impossible, size_t{1} << 47U), 0);
  ASSERT_EQ(pthread_setattr_default_np(&impossible), 0);
  const Failure failure(
      ik_stream_offer(stream.get(), 0, memory.data(), memory.size()));
  ASSERT_EQ(pthread_setattr_default_np(&before), 0);
  EXPECT_EQ(failure.code, static_cast<uint32_t>(IK_NO_MEMORY));
  EXPECT_THAT(failure.text, HasSubstr("Resource temporarily unavailable"));
}

}  // namespace
}  // namespace inkstream
