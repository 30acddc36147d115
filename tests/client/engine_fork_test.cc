// Forks under running streams. What a child does is told by its exit code.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "inkstream/engine.h"
#include "tests/client/local_store.h"
#include "tests/client/served_messages.h"
#include "tests/store/sample_drawings.h"
#include "tests/support/scratch_directory.h"

namespace inkstream {
namespace {

using testing::EngineHandle;
using testing::Failure;
using testing::OpenEngine;
using testing::OpenOn;
using testing::Reader;
using testing::StreamHandle;
using testing::StreamRequest;

v1::StreamBatchesRequest Endless() {
  v1::StreamBatchesRequest request = StreamRequest(64, 64);
  request.mutable_open()->mutable_delivery()->set_forever(true);
  return request;
}

std::string FirstBatch(ik_engine* engine) {
  const StreamHandle stream = OpenOn(engine, IK_STREAM_BATCHES, Endless());
  Reader reader(stream.get(), 2);
  return reader.Next() ? reader.bytes() : "";
}

// 0: it ended well.
int ExitOf(pid_t child) {
  int status = -1;
  return waitpid(child, &status, 0) == child ? status : -1;
}

class EngineForkTest : public ::testing::Test {
 protected:
  EngineForkTest() : path_(scratch_.path() + "/store") {
    store::MustWrite(path_, store::SampleDrawings(500));
    engine_ = OpenEngine(path_);
    expected_ = FirstBatch(engine_.get());
  }

  // What a child must find; its exit code.
  int InChild(ik_stream* of_parent) {
    ik_batch batch;
    if (Failure(ik_stream_next(of_parent, 0, &batch)).code !=
        IK_WRONG_PROCESS) {
      return 1;
    }
    ik_stream_cancel(of_parent);
    ik_bytes* answer = nullptr;
    if (Failure(
            ik_engine_call(engine_.get(), "ListDatasets", nullptr, 0, &answer))
            .code != IK_WRONG_PROCESS) {
      return 2;
    }
    const EngineHandle own = OpenEngine(path_);
    if (FirstBatch(own.get()) != expected_) return 3;
    return ::testing::Test::HasFailure() ? 4 : 0;
  }

  // Reads streams of its own until told to stop.
  void KeepReading(const std::atomic<bool>* stop) {
    const StreamHandle stream =
        OpenOn(engine_.get(), IK_STREAM_BATCHES, Endless());
    Reader reader(stream.get(), 3);
    while (!*stop && reader.Next()) reader.GiveBack();
    EXPECT_TRUE(*stop);
  }

  void KeepFetching(const std::atomic<bool>* stop) {
    v1::FetchDrawingsRequest request;
    for (int i = 0; i < 64; ++i) request.add_index(i);
    request.mutable_delivery()->mutable_image()->set_height(64);
    while (!*stop) {
      const StreamHandle fetch =
          OpenOn(engine_.get(), IK_FETCH_DRAWINGS, request);
      Reader reader(fetch.get(), 1);
      ASSERT_TRUE(reader.Next());
    }
  }

  testing::ScratchDirectory scratch_;
  const std::string path_;
  EngineHandle engine_;
  std::string expected_;
};

TEST_F(EngineForkTest, HundredsOfForksUnderRunningStreamsAndFetches) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  readers.emplace_back([&] { KeepReading(&stop); });
  readers.emplace_back([&] { KeepReading(&stop); });
  readers.emplace_back([&] { KeepFetching(&stop); });
  const StreamHandle own = OpenOn(engine_.get(), IK_STREAM_BATCHES, Endless());
  Reader reader(own.get(), 2);
  for (int i = 0; i < 200; ++i) {
    const pid_t child = fork();
    if (child == 0) _exit(InChild(own.get()));
    ASSERT_EQ(ExitOf(child), 0) << i;
    ASSERT_TRUE(reader.Next());
    reader.GiveBack();
  }
  stop = true;
  for (std::thread& thread : readers) thread.join();
}

// A stream that a server sends: its messages come by a thread of their own.
TEST_F(EngineForkTest, HundredsOfForksUnderAStreamThatIsFed) {
  const v1::StreamBatchesRequest request = testing::RowsRequest(64, 64);
  const testing::ServedMessages served = testing::FakeService().Serve(request);
  const size_t batches = served.parts.size();
  const StreamHandle stream = testing::Receive(request, served.opened);
  testing::Turns turns;
  std::thread feeds([&] {
    for (uint64_t i = 0; turns.Take(); ++i) {
      v1::BatchPart part = served.parts[i % batches];
      part.mutable_batches(0)->set_batch_seq(i);
      EXPECT_EQ(testing::Feed(stream.get(), part.SerializeAsString()).text, "");
    }
  });
  Reader reader(stream.get(), 2);
  turns.Give(4);
  for (int i = 0; i < 200; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      if (testing::Feed(stream.get(), served.end).code != IK_WRONG_PROCESS) {
        _exit(20);
      }
      _exit(InChild(stream.get()));
    }
    ASSERT_EQ(ExitOf(child), 0) << i;
    ASSERT_TRUE(reader.Next());
    ASSERT_EQ(reader.bytes(), served.bytes[i % batches]);
    reader.GiveBack();
    turns.Give(1);
  }
  turns.End();
  feeds.join();
}

TEST_F(EngineForkTest, ForksInThreadsAtOnce) {
  const StreamHandle own = OpenOn(engine_.get(), IK_STREAM_BATCHES, Endless());
  Reader reader(own.get(), 2);
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 15; ++i) {
        const pid_t child = fork();
        if (child == 0) _exit(InChild(own.get()));
        EXPECT_EQ(ExitOf(child), 0) << i;
      }
    });
  }
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(reader.Next());
    reader.GiveBack();
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(EngineForkTest, AChildForksAgainUnderItsOwnStream) {
  const pid_t child = fork();
  if (child == 0) {
    const EngineHandle own = OpenEngine(path_);
    const StreamHandle stream = OpenOn(own.get(), IK_STREAM_BATCHES, Endless());
    Reader reader(stream.get(), 2);
    if (!reader.Next()) _exit(10);
    const pid_t grandchild = fork();
    if (grandchild == 0) _exit(InChild(stream.get()));
    const int exit_of = ExitOf(grandchild);
    reader.GiveBack();
    _exit(exit_of != 0 ? 11 : reader.Next() ? 0 : 12);
  }
  EXPECT_EQ(ExitOf(child), 0);
}

TEST_F(EngineForkTest, NoThreadIsLeftWhereNoEngineIs) {
  const auto threads = [] {
    std::string text(4096, '\0');
    FILE* const file = std::fopen("/proc/self/stat", "r");
    text.resize(std::fread(text.data(), 1, text.size(), file));
    std::fclose(file);
    // The 18th field behind the name, which may hold spaces.
    size_t at = text.rfind(')') + 2;
    for (int field = 3; field < 20; ++field) at = text.find(' ', at) + 1;
    return std::stoi(text.substr(at));
  };
  EXPECT_GT(threads(), 1);
  engine_.reset();
  EXPECT_EQ(threads(), 1);
}

}  // namespace
}  // namespace inkstream
