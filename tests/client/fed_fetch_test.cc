// Answers of servers to fetches, fed to the library message by message.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/rows/rows_form.h"
#include "tests/client/served_messages.h"

namespace inkstream {
namespace {

using testing::Cut;
using testing::Failure;
using testing::FakeService;
using testing::Feed;
using ::testing::HasSubstr;
using testing::Memory;
using testing::Reader;
using testing::Receive;
using testing::RowsRequest;
using testing::ServedMessages;
using testing::StreamHandle;

v1::FetchDrawingsRequest FetchOf(int drawings, uint32_t side = 28) {
  v1::FetchDrawingsRequest request;
  *request.mutable_delivery() = RowsRequest(1, side).open().delivery();
  for (int i = 0; i < drawings; ++i) request.add_index(13 * i % 500);
  return request;
}

class FedFetchTest : public ::testing::Test {
 protected:
  // Cut into messages of so many bytes; 0: as one.
  void ExpectTheServersBatch(const v1::FetchDrawingsRequest& request,
                             size_t cut = 0) {
    const ServedMessages served = service_.Serve(request);
    const StreamHandle stream = Receive(request, served.opened);
    Reader reader(stream.get(), 1);
    const std::vector<v1::BatchPart> parts =
        cut > 0 ? Cut(served.parts[0], cut) : served.parts;
    for (const v1::BatchPart& part : parts) {
      ASSERT_EQ(Feed(stream.get(), part.SerializeAsString()).text, "");
    }
    ik_stream_finish(stream.get());
    ASSERT_TRUE(reader.Next());
    EXPECT_EQ(reader.bytes(), served.bytes[0]);
    EXPECT_EQ(reader.batch().epoch, request.epoch());
    EXPECT_EQ(reader.batch().rows, request.index_size());
    EXPECT_EQ(reader.batch().wire_bytes, served.parts[0].data().size());
    EXPECT_FALSE(reader.Next());
    EXPECT_EQ(reader.batch().header_size, 0U);  // there is no end to be told
  }

  FakeService service_;
};

TEST_F(FedFetchTest, TheBatchIsTheServersBitForBit) {
  std::vector<v1::FetchDrawingsRequest> requests = {
      FetchOf(1),   FetchOf(64),  FetchOf(700, 64),
      FetchOf(100), FetchOf(100), FetchOf(100)};
  v1::Delivery* delivery = requests[3].mutable_delivery();
  delivery->mutable_augment()->mutable_rotation()->set_high(20);
  delivery->set_views(2);
  requests[3].mutable_order()->set_seed(9);
  requests[3].set_epoch(4);
  requests[3].set_augment_view(3);
  delivery = requests[4].mutable_delivery();
  delivery->clear_image();
  delivery->mutable_strokes()->set_max_len(30);
  delivery->mutable_strokes()->set_ragged(true);
  requests[5].mutable_delivery()->set_codec(v1::CODEC_NONE);
  for (const v1::FetchDrawingsRequest& request : requests) {
    ExpectTheServersBatch(request);
    ExpectTheServersBatch(request, 1000);
  }
}

TEST_F(FedFetchTest, ManyAtOnceShareTheThreadsOfRunningStreams) {
  const v1::StreamBatchesRequest running = RowsRequest(64, 128);
  const ServedMessages served = service_.Serve(running);
  const StreamHandle stream = Receive(running, served.opened);
  Reader reader(stream.get(), 8);
  for (const v1::BatchPart& part : served.parts) {
    ASSERT_EQ(Feed(stream.get(), part.SerializeAsString()).text, "");
  }
  const v1::FetchDrawingsRequest request = FetchOf(400, 64);
  const ServedMessages answer = service_.Serve(request);
  std::vector<std::thread> fetching;
  for (int i = 0; i < 4; ++i) {
    fetching.emplace_back([&request, &answer] {
      for (int round = 0; round < 5; ++round) {
        const StreamHandle fetch = Receive(request, answer.opened);
        Reader batch(fetch.get(), 1);
        const std::string message = answer.parts[0].SerializeAsString();
        EXPECT_EQ(Feed(fetch.get(), message).text, "");
        ASSERT_TRUE(batch.Next());
        EXPECT_EQ(batch.bytes(), answer.bytes[0]);
      }
    });
  }
  for (size_t i = 0; i < served.bytes.size(); ++i) {
    ASSERT_TRUE(reader.Next());
    EXPECT_EQ(reader.bytes(), served.bytes[i]) << i;
    reader.GiveBack();
  }
  for (std::thread& thread : fetching) thread.join();
}

TEST_F(FedFetchTest, WhatIsNotOneBatchIsRefused) {
  const v1::FetchDrawingsRequest request = FetchOf(8);
  const ServedMessages served = service_.Serve(request);
  const StreamHandle stream = Receive(request, served.opened);
  v1::BatchPart second = served.parts[0];
  second.mutable_batches(0)->set_batch_seq(1);
  EXPECT_EQ(Feed(stream.get(), served.parts[0].SerializeAsString()).text, "");
  const Failure told = Feed(stream.get(), second.SerializeAsString());
  EXPECT_EQ(told.code, 13U);  // INTERNAL
  EXPECT_THAT(told.text, HasSubstr("several batches"));
  Memory memory(ik_stream_batch_bytes(stream.get()));
  IK_OK(ik_stream_offer(stream.get(), 0, memory.data(), memory.size()));
  EXPECT_EQ(
      Failure(ik_stream_offer(stream.get(), 1, memory.data(), memory.size()))
          .code,
      8U);  // RESOURCE_EXHAUSTED
}

TEST_F(FedFetchTest, RowsThatWereNotAskedForAreRefused) {
  const v1::FetchDrawingsRequest request = FetchOf(8);
  const ServedMessages served = service_.Serve(FetchOf(9));
  const StreamHandle stream = Receive(request, served.opened);
  EXPECT_THAT(Feed(stream.get(), served.parts[0].SerializeAsString()).text,
              HasSubstr("9 rows where 8 were asked for"));
}

TEST_F(FedFetchTest, ADamagedLinkIsATransportsError) {
  const v1::FetchDrawingsRequest request = FetchOf(8);
  ServedMessages served = service_.Serve(request);
  const StreamHandle stream = Receive(request, served.opened);
  served.parts[0].mutable_data()->back() ^= 1;
  const Failure told = Feed(stream.get(), served.parts[0].SerializeAsString());
  EXPECT_EQ(told.code, 14U);  // UNAVAILABLE
  EXPECT_THAT(told.details, HasSubstr("BROKEN"));
}

TEST_F(FedFetchTest, DrawingsThatCannotBeReadHereAreNamedOrCounted) {
  v1::FetchDrawingsRequest request = FetchOf(4);
  ServedMessages served = service_.Serve(request);
  // The last byte of the last drawing is missing.
  v1::BatchPart& part = served.parts[0];
  std::string* const data = part.mutable_data();
  const rows::RowsShape shape = {2, false};
  --(*data)[shape.Lengths(4) + 12];
  data->pop_back();
  v1::BatchHeader* const header = part.mutable_batches(0);
  header->set_wire_size(data->size());
  header->mutable_rows()->set_checksum(rows::ChecksumOf(
      {reinterpret_cast<const uint8_t*>(data->data()), data->size()}));
  for (const bool skip : {false, true}) {
    if (skip) {
      request.mutable_delivery()->set_on_corrupt(v1::Delivery::ON_CORRUPT_SKIP);
      header->set_bad(2);  // and these are the server's
      // It bounds streams.
      request.mutable_delivery()->set_max_bad(1);
    }
    const StreamHandle stream = Receive(request, served.opened);
    Memory memory(ik_stream_batch_bytes(stream.get()));
    IK_OK(ik_stream_offer(stream.get(), 0, memory.data(), memory.size()));
    ASSERT_EQ(Feed(stream.get(), part.SerializeAsString()).text, "");
    ik_batch batch;
    const Failure failure(ik_stream_next(stream.get(), 0, &batch));
    if (skip) {
      EXPECT_EQ(failure.text, "");
      EXPECT_EQ(batch.bad, 3U);
    } else {
      EXPECT_EQ(failure.code, 15U);  // DATA_LOSS
      EXPECT_THAT(failure.text, HasSubstr("drawing 39 of fake at there:1"));
    }
  }
}

TEST_F(FedFetchTest, AKindThatIsNoneIsRefused) {
  ik_receive_options options = {};
  options.struct_size = sizeof(options);
  options.kind = 2;
  ik_stream* stream = nullptr;
  EXPECT_THAT(Failure(ik_stream_receive(&options, &stream)).text,
              HasSubstr("kind: 2"));
}

}  // namespace
}  // namespace inkstream
