#include "inkstream/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "server/batch/engine.h"
#include "server/wire/messages.h"
#include "tests/client/local_store.h"
#include "tests/store/sample_drawings.h"
#include "tests/support/batch_puller.h"
#include "tests/support/heap_buffer_pool.h"
#include "tests/support/scratch_directory.h"

namespace inkstream {
namespace {

using ::testing::ElementsAre;
using testing::EngineHandle;
using testing::Failure;
using ::testing::HasSubstr;
using testing::Memory;
using testing::OpenEngine;
using testing::OpenOn;
using testing::Reader;
using testing::StreamHandle;
using testing::StreamRequest;

constexpr uint64_t kDrawings = 500;

class EngineTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch_ = new testing::ScratchDirectory;
    path_ = new std::string(scratch_->path() + "/store");
    store::MustWrite(*path_, store::SampleDrawings(kDrawings));
  }
  static void TearDownTestSuite() {
    delete scratch_;
    delete path_;
  }

  Failure Call(const char* method, const std::string& request,
               std::string* answer = nullptr) {
    ik_bytes* bytes = nullptr;
    Failure failure(ik_engine_call(
        engine_.get(), method, reinterpret_cast<const uint8_t*>(request.data()),
        request.size(), &bytes));
    if (bytes != nullptr && answer != nullptr) {
      answer->assign(reinterpret_cast<const char*>(bytes->data), bytes->size);
    }
    ik_bytes_free(bytes);
    return failure;
  }

  static testing::ScratchDirectory* scratch_;
  static std::string* path_;
  const EngineHandle engine_ = OpenEngine(*path_);
};
testing::ScratchDirectory* EngineTest::scratch_ = nullptr;
std::string* EngineTest::path_ = nullptr;

TEST_F(EngineTest, AStreamGivesWhatAnyEngineGivesBitForBit) {
  const v1::StreamBatchesRequest request = StreamRequest();
  batch::EngineOptions options;
  options.workers = 1;
  const auto engine = *batch::Engine::Create(options);
  ASSERT_TRUE(engine->AddDataset("own", store::MustOpen(*path_)).ok());
  testing::BatchPuller puller(*engine->OpenStream(
      *wire::PlanFromProto(request),
      engine->Arbitrate(std::make_shared<testing::HeapBufferPool>())));
  const StreamHandle stream = OpenOn(engine_.get(), IK_STREAM_BATCHES, request);
  Reader reader(stream.get(), 3);
  uint64_t rows = 0;
  while (reader.Next()) {
    batch::TakeResult taken = puller.Next();
    ASSERT_TRUE(std::holds_alternative<batch::FinishedBatch>(taken));
    const auto& expected = std::get<batch::FinishedBatch>(taken);
    ASSERT_EQ(reader.bytes(), testing::BytesOf(expected));
    EXPECT_EQ(reader.batch().cursor_position, expected.after.position);
    EXPECT_EQ(reader.batch().step, expected.step);
    rows += reader.batch().rows;
    reader.GiveBack();
  }
  EXPECT_EQ(rows, kDrawings);
  EXPECT_EQ(reader.batch().kind, IK_END);
  // The last one is shorter.
  EXPECT_EQ(reader.headers(), 2);
  v1::StreamOpened opened;
  const ik_bytes said = ik_stream_opened(stream.get());
  ASSERT_TRUE(opened.ParseFromArray(said.data, static_cast<int>(said.size)));
  EXPECT_EQ(opened.view_size(), kDrawings);
  EXPECT_EQ(opened.credit_window(), 8U);
}

TEST_F(EngineTest, NothingIsDrawnWithoutMemory) {
  const StreamHandle stream =
      OpenOn(engine_.get(), IK_STREAM_BATCHES, StreamRequest());
  ik_batch batch;
  IK_OK(ik_stream_next(stream.get(), 0, &batch));
  EXPECT_EQ(batch.kind, IK_NOTHING);
}

TEST_F(EngineTest, MemoryThatDoesNotDoIsRefused) {
  const StreamHandle stream =
      OpenOn(engine_.get(), IK_STREAM_BATCHES, StreamRequest());
  const size_t bytes = ik_stream_batch_bytes(stream.get());
  std::vector<Memory> memory;
  for (int i = 0; i < 9; ++i) memory.emplace_back(bytes + 64);
  const auto offer = [&](uint8_t* data, size_t size) {
    return Failure(ik_stream_offer(stream.get(), 0, data, size));
  };
  EXPECT_THAT(offer(memory[0].data(), bytes - 1).text, HasSubstr("a batch"));
  EXPECT_THAT(offer(memory[0].data() + 8, bytes).text, HasSubstr("aligned"));
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(offer(memory[i].data(), bytes).text, "");
  }
  EXPECT_THAT(offer(memory[0].data(), bytes).text, HasSubstr("at most 8"));
  EXPECT_THAT(offer(memory[8].data(), bytes).text, HasSubstr("at most 8"));
  ik_batch batch = {};
  while (batch.kind != IK_BATCH) {
    IK_OK(ik_stream_next(stream.get(), 10, &batch));
  }
  EXPECT_THAT(offer(memory[7].data(), bytes).text, HasSubstr("already"));
  ik_stream_cancel(stream.get());  // before its memory goes
}

TEST_F(EngineTest, AFetchDrawsWhatIsAskedForInItsOrder) {
  v1::FetchDrawingsRequest request;
  for (const uint64_t index : {7, 499, 7}) request.add_index(index);
  request.mutable_delivery()->mutable_image()->set_height(64);
  const StreamHandle fetch = OpenOn(engine_.get(), IK_FETCH_DRAWINGS, request);
  Reader reader(fetch.get(), 1);
  ASSERT_TRUE(reader.Next());
  EXPECT_THAT(reader.Column("index"), ElementsAre(7, 499, 7));
  EXPECT_GT(ik_stream_opened(fetch.get()).size, 0U);
  const std::string bytes = reader.bytes();
  EXPECT_EQ(bytes.substr(0, 64 * 64), bytes.substr(2 * 64 * 64, 64 * 64));
  EXPECT_FALSE(reader.Next());
}

TEST_F(EngineTest, WhatIsWrongWithARequestIsSaid) {
  v1::FetchDrawingsRequest fetch;
  fetch.add_index(kDrawings);
  const StreamHandle beyond = OpenOn(engine_.get(), IK_FETCH_DRAWINGS, fetch);
  Memory memory(ik_stream_batch_bytes(beyond.get()));
  IK_OK(ik_stream_offer(beyond.get(), 0, memory.data(), memory.size()));
  ik_batch batch;
  for (int i = 0; i < 2; ++i) {  // it stays
    const Failure failure(ik_stream_next(beyond.get(), 10, &batch));
    EXPECT_EQ(failure.code, 3U);  // INVALID_ARGUMENT
    EXPECT_THAT(failure.text, HasSubstr("500"));
  }
  Failure failure(nullptr);
  v1::StreamBatchesRequest request = StreamRequest();
  request.mutable_open()->mutable_view()->set_split("trian");
  EXPECT_EQ(OpenOn(engine_.get(), IK_STREAM_BATCHES, request, &failure),
            nullptr);
  EXPECT_EQ(failure.code, 5U);  // NOT_FOUND
  request = StreamRequest(65536, 1024);
  OpenOn(engine_.get(), IK_STREAM_BATCHES, request, &failure);
  EXPECT_EQ(failure.code, 3U);
  OpenOn(engine_.get(), 9, request, &failure);
  EXPECT_THAT(failure.text, HasSubstr("kind: 9"));
  EXPECT_EQ(Call("Train", "").code, 12U);  // UNIMPLEMENTED
  EXPECT_THAT(Call("GetStatus", "\xff").text, HasSubstr("not an encoded"));
  ik_engine_options options = {};
  options.struct_size = sizeof(options);
  options.path = "/no/such/store";
  ik_engine* none = nullptr;
  EXPECT_EQ(Failure(ik_engine_open(&options, &none)).code, 5U);
  options.path = path_->c_str();
  options.fingerprint = "ff";
  EXPECT_THAT(Failure(ik_engine_open(&options, &none)).text,
              HasSubstr("fingerprint ff is not here"));
  EXPECT_EQ(none, nullptr);
}

TEST_F(EngineTest, NothingComesOfHandlesThatAreMissing) {
  ik_engine* engine = nullptr;
  ik_stream* stream = nullptr;
  ik_bytes* answer = nullptr;
  ik_batch batch;
  EXPECT_THAT(Failure(ik_engine_open(nullptr, &engine)).text,
              HasSubstr("options: null"));
  const ik_engine_options empty = {};
  EXPECT_THAT(Failure(ik_engine_open(&empty, &engine)).text,
              HasSubstr("path: not given"));
  for (ik_error* const error :
       {ik_engine_call(nullptr, "GetStatus", nullptr, 0, &answer),
        ik_stream_open(nullptr, IK_STREAM_BATCHES, nullptr, 0, &stream),
        ik_stream_offer(nullptr, 0, nullptr, 0),
        ik_stream_next(nullptr, 0, &batch)}) {
    EXPECT_THAT(Failure(error).text, HasSubstr("null"));
  }
  EXPECT_THAT(
      Failure(ik_engine_call(engine_.get(), "GetStatus", nullptr, 9, &answer))
          .text,
      HasSubstr("request: null"));
  EXPECT_EQ(ik_stream_batch_bytes(nullptr), 0U);
  EXPECT_EQ(ik_stream_opened(nullptr).size, 0U);
  ik_stream_cancel(nullptr);
  ik_stream_close(nullptr);
  ik_engine_close(nullptr);
}

TEST_F(EngineTest, MethodsAnswerAsAServersDo) {
  std::string answer;
  ASSERT_EQ(Call("DescribeDataset", "", &answer).text, "");
  v1::DescribeDatasetResponse described;
  ASSERT_TRUE(described.ParseFromString(answer));
  EXPECT_EQ(described.drawings(), kDrawings);
  v1::UploadKeysRequest keys;
  keys.add_key_id(3);
  keys.add_key_id(3);
  ASSERT_EQ(Call("UploadKeys", keys.SerializeAsString(), &answer).text, "");
  v1::UploadKeysResponse kept;
  ASSERT_TRUE(kept.ParseFromString(answer));
  EXPECT_EQ(kept.keys(), 1U);
  const StreamHandle stream =
      OpenOn(engine_.get(), IK_STREAM_BATCHES, StreamRequest());
  Reader reader(stream.get(), 1);
  ASSERT_TRUE(reader.Next());
  ASSERT_EQ(Call("GetStatus", "", &answer).text, "");
  v1::GetStatusResponse status;
  ASSERT_TRUE(status.ParseFromString(answer));
  ASSERT_EQ(status.streams_size(), 1);
  EXPECT_EQ(status.streams(0).position(), 64U);
  EXPECT_EQ(status.streams(0).drawings(), 64U);
}

TEST_F(EngineTest, ACancelledStreamSaysSoToWhoeverWaits) {
  const StreamHandle stream =
      OpenOn(engine_.get(), IK_STREAM_BATCHES, StreamRequest());
  std::thread waits([&] {
    ik_batch batch;
    Failure failure(ik_stream_next(stream.get(), 60, &batch));
    // It may have been cancelled before.
    EXPECT_EQ(failure.code, 1U) << failure.text;
  });
  ik_stream_cancel(stream.get());
  waits.join();
}

TEST_F(EngineTest, OfferedMemoryIsTheUsersAgainOnceTheStreamIsClosed) {
  for (int round = 0; round < 50; ++round) {
    StreamHandle stream =
        OpenOn(engine_.get(), IK_STREAM_BATCHES, StreamRequest(64, 128));
    std::vector<Memory> memory;
    for (int i = 0; i < 8; ++i) {
      memory.emplace_back(ik_stream_batch_bytes(stream.get()));
      IK_OK(
          ik_stream_offer(stream.get(), i, memory[i].data(), memory[i].size()));
    }
    stream.reset();
    for (Memory& one : memory) std::memset(one.data(), 0xA5, one.size());
    // The same threads draw these, behind whatever they were at.
    const StreamHandle other =
        OpenOn(engine_.get(), IK_STREAM_BATCHES, StreamRequest(64, 128));
    Reader reader(other.get(), 2);
    ASSERT_TRUE(reader.Next());
    for (Memory& one : memory) {
      ASSERT_TRUE(std::all_of(one.data(), one.data() + one.size(),
                              [](uint8_t byte) { return byte == 0xA5; }));
    }
  }
}

TEST_F(EngineTest, StreamsOutliveTheirEngine) {
  EngineHandle engine = OpenEngine(*path_);
  const StreamHandle stream =
      OpenOn(engine.get(), IK_STREAM_BATCHES, StreamRequest());
  engine.reset();
  Reader reader(stream.get(), 2);
  uint64_t rows = 0;
  while (reader.Next()) {
    rows += reader.batch().rows;
    reader.GiveBack();
  }
  EXPECT_EQ(rows, kDrawings);
}

TEST_F(EngineTest, TheNumberOfThreadsChangesUnderStreams) {
  const StreamHandle stream =
      OpenOn(engine_.get(), IK_STREAM_BATCHES, StreamRequest(8));
  Reader reader(stream.get(), 2);
  for (uint32_t threads = 1; threads < 8; ++threads) {
    const EngineHandle other = OpenEngine(*path_, threads);
    ASSERT_TRUE(reader.Next());
    reader.GiveBack();
  }
}

}  // namespace
}  // namespace inkstream
