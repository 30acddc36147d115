// Streams of servers, fed to the library message by message.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "server/raster/draw/rasterizer.h"
#include "server/rows/rows_form.h"
#include "tests/client/served_messages.h"

namespace inkstream {
namespace {

using testing::Cut;
using testing::Failure;
using testing::FakeService;
using testing::Feed;
using testing::Gathered;
using ::testing::HasSubstr;
using testing::Memory;
using testing::Reader;
using testing::Receive;
using testing::RowsRequest;
using testing::ServedMessages;
using testing::StreamHandle;

v1::StreamBatchesRequest TensorsRequest(uint32_t batch_size = 64) {
  v1::StreamBatchesRequest request = RowsRequest(batch_size);
  request.mutable_open()->mutable_delivery()->set_codec(v1::CODEC_NONE);
  return request;
}

// The same stream as other messages.
using Regroup = std::function<std::vector<v1::BatchPart>(ServedMessages)>;

std::vector<v1::BatchPart> OneAMessage(const ServedMessages& served) {
  return served.parts;
}
std::vector<v1::BatchPart> ThreeAMessage(const ServedMessages& served) {
  std::vector<v1::BatchPart> messages;
  for (size_t i = 0; i < served.parts.size(); i += 3) {
    const size_t end = std::min(i + 3, served.parts.size());
    messages.push_back(
        Gathered({served.parts.begin() + i, served.parts.begin() + end}));
  }
  return messages;
}
std::vector<v1::BatchPart> CutInPieces(const ServedMessages& served) {
  std::vector<v1::BatchPart> messages;
  for (const v1::BatchPart& whole : served.parts) {
    for (v1::BatchPart& part : Cut(whole, 1000)) messages.push_back(part);
  }
  return messages;
}

class FedStreamTest : public ::testing::Test {
 protected:
  void ExpectTheServersBatches(const v1::StreamBatchesRequest& request,
                               const Regroup& regroup, uint32_t ahead) {
    const ServedMessages served = service_.Serve(request);
    const StreamHandle stream = Receive(request, served.opened);
    Reader reader(stream.get(), ahead);
    std::thread feeds([&] {
      uint32_t whole = 0;
      for (const v1::BatchPart& message : regroup(served)) {
        uint32_t batches = 0;
        const std::string bytes = message.SerializeAsString();
        EXPECT_EQ(Feed(stream.get(), bytes, &batches).text, "");
        whole += batches;
      }
      EXPECT_EQ(whole, served.parts.size());
      EXPECT_EQ(Feed(stream.get(), served.end).text, "");
    });
    size_t i = 0;
    for (; reader.Next(); ++i) {
      const v1::BatchHeader& sent = served.parts[i].batches(0);
      EXPECT_EQ(reader.bytes(), served.bytes[i]) << i;
      EXPECT_EQ(reader.batch().epoch, sent.epoch());
      EXPECT_EQ(reader.batch().step, sent.step());
      EXPECT_EQ(reader.batch().cursor_position, sent.cursor().position());
      EXPECT_EQ(reader.batch().rows, reader.Column("index").size());
      EXPECT_EQ(reader.batch().wire_bytes, served.parts[i].data().size());
      reader.GiveBack();
    }
    feeds.join();
    EXPECT_EQ(i, served.bytes.size());
    EXPECT_GT(reader.batch().header_size, 0U);  // of the end
    // The last batch is shorter.
    EXPECT_LE(reader.headers(), 2);
  }

  FakeService service_;
};

TEST_F(FedStreamTest, BatchesAreTheServersBitForBitHoweverTheyCome) {
  std::vector<v1::StreamBatchesRequest> requests(5, RowsRequest());
  v1::Delivery* delivery = requests[1].mutable_open()->mutable_delivery();
  delivery->mutable_image()->set_dtype(v1::DTYPE_FLOAT32);
  delivery->mutable_augment()->mutable_rotation()->set_high(20);
  delivery->set_views(2);
  delivery = requests[2].mutable_open()->mutable_delivery();
  delivery->clear_image();
  delivery->mutable_strokes()->set_max_len(30);
  requests[3] = RowsRequest(7, 128);
  requests[4] = TensorsRequest();
  for (const v1::StreamBatchesRequest& request : requests) {
    for (const Regroup& regroup :
         {Regroup(OneAMessage), Regroup(ThreeAMessage), Regroup(CutInPieces)}) {
      for (const uint32_t ahead : {1U, 3U}) {
        ExpectTheServersBatches(request, regroup, ahead);
      }
    }
  }
}

TEST_F(FedStreamTest, RaggedBatchesAreAsLongAsTheirValues) {
  v1::StreamBatchesRequest request = RowsRequest();
  v1::Strokes* const strokes =
      request.mutable_open()->mutable_delivery()->mutable_strokes();
  strokes->set_max_len(30);
  strokes->set_ragged(true);
  const ServedMessages served = service_.Serve(request);
  const StreamHandle stream = Receive(request, served.opened);
  Reader reader(stream.get(), 2);
  for (size_t i = 0; i < served.parts.size(); ++i) {
    ASSERT_EQ(Feed(stream.get(), served.parts[i].SerializeAsString()).text, "");
    ASSERT_TRUE(reader.Next());
    EXPECT_EQ(reader.bytes(), served.bytes[i]);
    EXPECT_LT(reader.batch().size, ik_stream_batch_bytes(stream.get()));
    reader.GiveBack();
  }
}

TEST_F(FedStreamTest, WhatHasNoMemoryWaitsForIt) {
  for (const v1::StreamBatchesRequest& request :
       {RowsRequest(), TensorsRequest()}) {
    const ServedMessages served = service_.Serve(request);
    const StreamHandle stream = Receive(request, served.opened);
    for (const v1::BatchPart& part : served.parts) {
      ASSERT_EQ(Feed(stream.get(), part.SerializeAsString()).text, "");
    }
    ik_batch batch;
    IK_OK(ik_stream_next(stream.get(), 0, &batch));
    EXPECT_EQ(batch.kind, IK_NOTHING);
    Reader reader(stream.get(), 1);
    for (const std::string& bytes : served.bytes) {
      ASSERT_TRUE(reader.Next());
      EXPECT_EQ(reader.bytes(), bytes);
      reader.GiveBack();
    }
  }
}

TEST_F(FedStreamTest, WhatEndsWithoutAnEndSaysSo) {
  const v1::StreamBatchesRequest request = RowsRequest();
  const ServedMessages served = service_.Serve(request);
  const StreamHandle stream = Receive(request, served.opened);
  Reader reader(stream.get(), 1);
  ASSERT_EQ(Feed(stream.get(), served.parts[0].SerializeAsString()).text, "");
  ik_stream_finish(stream.get());
  EXPECT_TRUE(reader.Next());
  EXPECT_FALSE(reader.Next());
  EXPECT_EQ(reader.batch().kind, IK_END);
  EXPECT_EQ(reader.batch().header_size, 0U);
}

TEST_F(FedStreamTest, TheOpeningIsTheServersByTheVersionThatDraws) {
  const v1::StreamBatchesRequest request = RowsRequest();
  const ServedMessages served = service_.Serve(request);
  const StreamHandle stream = Receive(request, served.opened);
  const ik_bytes said = ik_stream_opened(stream.get());
  v1::StreamOpened opened;
  ASSERT_TRUE(opened.ParseFromArray(said.data, static_cast<int>(said.size)));
  EXPECT_EQ(opened.view_size(), 500U);
  EXPECT_EQ(opened.raster_version(), ik_raster_version());
  EXPECT_EQ(ik_raster_version(), raster::kRasterVersion);
}

TEST_F(FedStreamTest, OpeningsThatCannotBeAreRefused) {
  const v1::StreamBatchesRequest request = RowsRequest();
  const std::string opened = service_.Serve(request).opened;
  Failure failure(nullptr);
  Receive(request, "", &failure);
  EXPECT_THAT(failure.text, HasSubstr("did not begin with"));
  Receive(request, "\x2a\x80", &failure);
  EXPECT_THAT(failure.text, HasSubstr("not a BatchPart"));
  v1::BatchPart part;
  ASSERT_TRUE(part.ParseFromString(opened));
  part.mutable_opened()->set_raster_version(1000);
  Receive(request, part.SerializeAsString(), &failure);
  EXPECT_EQ(failure.code, 9U);  // FAILED_PRECONDITION
  EXPECT_THAT(failure.text, HasSubstr("raster version 1000"));
  v1::StreamBatchesRequest exact = request;
  exact.mutable_open()->mutable_delivery()->mutable_image()->set_quality(
      v1::Image::QUALITY_EXACT);
  Receive(exact, opened, &failure);
  EXPECT_THAT(failure.text, HasSubstr("exact"));
}

TEST_F(FedStreamTest, ADamagedLinkIsSaidBehindTheBatchesBefore) {
  const v1::StreamBatchesRequest request = RowsRequest();
  ServedMessages served = service_.Serve(request);
  const StreamHandle stream = Receive(request, served.opened);
  Reader reader(stream.get(), 3);
  v1::BatchPart two = Gathered({served.parts[0], served.parts[1]});
  two.mutable_data()->back() ^= 1;
  const Failure told = Feed(stream.get(), two.SerializeAsString());
  EXPECT_EQ(told.code, 14U);  // UNAVAILABLE
  EXPECT_THAT(told.details, HasSubstr("BROKEN"));
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.bytes(), served.bytes[0]);
  ik_batch batch;
  const Failure behind(ik_stream_next(stream.get(), 10, &batch));
  EXPECT_EQ(behind.code, 14U);
  EXPECT_THAT(behind.text, HasSubstr("batch 1 of fake at there:1"));
}

TEST_F(FedStreamTest, MessagesThatDoNotFollowAreRefused) {
  const v1::StreamBatchesRequest request = RowsRequest();
  const v1::StreamBatchesRequest tensors = TensorsRequest();
  const ServedMessages served = service_.Serve(request);
  const ServedMessages drawn = service_.Serve(tensors);
  struct Case {
    std::string why;
    std::function<void(v1::BatchPart*)> lie;
    bool as_tensors = false;
  };
  const std::vector<Case> cases = {
      {"a new batch was due", [](auto* p) { p->clear_batches(); }},
      {"a new batch was due", [](auto* p) { p->set_part(1); }},
      {"a new batch was due", [](auto* p) { p->set_offset(1); }},
      {"where 0 was due",
       [](auto* p) { p->mutable_batches(0)->set_batch_seq(1); }},
      {"where 1 was due", [](auto* p) { *p->add_batches() = p->batches(0); }},
      {"does not fit", [](auto* p) { p->mutable_data()->pop_back(); }},
      {"does not fit",
       [](auto* p) {
         p->mutable_batches(0)->set_part_count(2);
         p->mutable_data()->push_back('x');
       }},
      {"starts at",
       [](auto* p) { p->mutable_batches(0)->set_data_offset(~uint64_t{0}); }},
      {"rows and tensors",
       [](auto* p) { p->mutable_batches(0)->add_tensors(); }},
      {"rows and tensors",
       [](auto* p) { p->mutable_batches(0)->set_byte_size(64); }},
      {"65 rows where 64",
       [](auto* p) { p->mutable_batches(0)->mutable_rows()->set_count(65); }},
      {"0 rows where 64",
       [](auto* p) { p->mutable_batches(0)->mutable_rows()->set_count(0); }},
      {"without an augmentation",
       [](auto* p) {
         p->mutable_batches(0)->mutable_rows()->set_occurrences(true);
       }},
      {"64 rows in 20 bytes",
       [](auto* p) { p->mutable_batches(0)->set_wire_size(20); }},
      {"bytes, not in",
       [](auto* p) { p->mutable_batches(0)->set_wire_size(~uint64_t{0}); }},
      {"second first part", [](auto* p) { p->mutable_opened(); }},
      {"not agreed on", [](auto* p) { p->mutable_batches(0)->mutable_rows(); },
       true},
      {"takes at most",
       [](auto* p) { p->mutable_batches(0)->set_byte_size(1U << 30U); }, true},
      {"a batch of 20",
       [](auto* p) {
         for (int i = 0; i < 2000; ++i) p->mutable_batches(0)->add_tensors();
       },
       true},
  };
  for (const Case& one : cases) {
    const StreamHandle stream = one.as_tensors
                                    ? Receive(tensors, drawn.opened)
                                    : Receive(request, served.opened);
    v1::BatchPart part = (one.as_tensors ? drawn : served).parts[0];
    one.lie(&part);
    const Failure told = Feed(stream.get(), part.SerializeAsString());
    EXPECT_EQ(told.code, 13U) << one.why;  // INTERNAL
    EXPECT_THAT(told.text, HasSubstr(one.why));
  }
}

TEST_F(FedStreamTest, PartsThatDoNotFollowAreRefused) {
  const v1::StreamBatchesRequest request = RowsRequest();
  const ServedMessages served = service_.Serve(request);
  const std::vector<v1::BatchPart> parts = Cut(served.parts[0], 1000);
  ASSERT_GT(parts.size(), 3U);
  const std::vector<std::pair<std::string, std::function<void(v1::BatchPart*)>>>
      cases = {{"where part 1", [](auto* p) { p->set_part(2); }},
               {"where part 1", [](auto* p) { p->set_offset(1001); }},
               {"where part 1", [](auto* p) { p->set_batch_seq(1); }},
               {"where part 1", [](auto* p) { p->add_batches(); }},
               {"an empty part", [](auto* p) { p->clear_data(); }},
               {"longer than",
                [](auto* p) { p->mutable_data()->append(100'000, 'x'); }},
               {"the end within", [](auto* p) { p->mutable_end(); }}};
  for (const auto& [why, lie] : cases) {
    const StreamHandle stream = Receive(request, served.opened);
    ASSERT_EQ(Feed(stream.get(), parts[0].SerializeAsString()).text, "");
    v1::BatchPart part = parts[1];
    lie(&part);
    EXPECT_THAT(Feed(stream.get(), part.SerializeAsString()).text,
                HasSubstr(why));
    // It stays.
    EXPECT_THAT(Feed(stream.get(), parts[1].SerializeAsString()).text,
                HasSubstr(why));
  }
}

TEST_F(FedStreamTest, DamagedDrawingsAreNamedOrCounted) {
  v1::StreamBatchesRequest request = RowsRequest(4);
  v1::Delivery* const delivery = request.mutable_open()->mutable_delivery();
  request.mutable_open()->mutable_order()->set_shuffle(v1::Order::SHUFFLE_NONE);
  delivery->set_max_batches(1);
  ServedMessages served = service_.Serve(request);
  // The last byte of drawing 3 is missing.
  v1::BatchPart& part = served.parts[0];
  v1::BatchHeader* const header = part.mutable_batches(0);
  const rows::RowsShape shape = {2, false};
  std::string* const data = part.mutable_data();
  uint32_t length = 0;
  std::memcpy(&length, data->data() + shape.Lengths(4) + 12, 4);
  --length;
  std::memcpy(data->data() + shape.Lengths(4) + 12, &length, 4);
  data->pop_back();
  header->set_wire_size(data->size());
  header->mutable_rows()->set_checksum(rows::ChecksumOf(
      {reinterpret_cast<const uint8_t*>(data->data()), data->size()}));
  ik_batch batch;
  {
    const StreamHandle stream = Receive(request, served.opened);
    Memory memory(ik_stream_batch_bytes(stream.get()));
    IK_OK(ik_stream_offer(stream.get(), 0, memory.data(), memory.size()));
    ASSERT_EQ(Feed(stream.get(), part.SerializeAsString()).text, "");
    const Failure failure(ik_stream_next(stream.get(), 1000, &batch));
    EXPECT_EQ(failure.code, 15U);  // DATA_LOSS
    EXPECT_THAT(failure.text, HasSubstr("drawing 3 of fake at there:1"));
  }
  delivery->set_on_corrupt(v1::Delivery::ON_CORRUPT_SKIP);
  for (const uint64_t most : {2U, 3U}) {
    delivery->set_max_bad(most);
    header->set_bad(2);  // and these are the server's
    const StreamHandle stream = Receive(request, served.opened);
    Memory memory(ik_stream_batch_bytes(stream.get()));
    IK_OK(ik_stream_offer(stream.get(), 0, memory.data(), memory.size()));
    ASSERT_EQ(Feed(stream.get(), part.SerializeAsString()).text, "");
    const Failure failure(ik_stream_next(stream.get(), 1000, &batch));
    if (most == 3) {
      EXPECT_EQ(failure.text, "");
      EXPECT_EQ(batch.bad, 3U);
    } else {
      EXPECT_EQ(failure.code, 15U);
      EXPECT_THAT(failure.text, HasSubstr("3 damaged drawings"));
    }
  }
}

TEST_F(FedStreamTest, MemoryIsTheUsersAgainOnceTheStreamIsClosed) {
  const v1::StreamBatchesRequest request = RowsRequest(64, 128);
  const ServedMessages served = service_.Serve(request);
  const std::string parts = Gathered(served.parts).SerializeAsString();
  const v1::StreamBatchesRequest tensors = TensorsRequest();
  const ServedMessages drawn = service_.Serve(tensors);
  const std::string begun = Cut(drawn.parts[0], 1000)[0].SerializeAsString();
  for (int round = 0; round < 50; ++round) {
    const bool rows = round % 2 == 0;
    StreamHandle stream =
        rows ? Receive(request, served.opened) : Receive(tensors, drawn.opened);
    std::vector<Memory> memory;
    for (int i = 0; i < 8; ++i) {
      memory.emplace_back(ik_stream_batch_bytes(stream.get()));
      IK_OK(
          ik_stream_offer(stream.get(), i, memory[i].data(), memory[i].size()));
    }
    ASSERT_EQ(Feed(stream.get(), rows ? parts : begun).text, "");
    stream.reset();
    for (Memory& one : memory) std::memset(one.data(), 0xA5, one.size());
    // The same threads draw these, behind whatever they were at.
    const StreamHandle other = Receive(request, served.opened);
    Reader reader(other.get(), 2);
    ASSERT_EQ(Feed(other.get(), parts).text, "");
    ASSERT_TRUE(reader.Next());
    for (Memory& one : memory) {
      ASSERT_TRUE(std::all_of(one.data(), one.data() + one.size(),
                              [](uint8_t byte) { return byte == 0xA5; }));
    }
  }
}

TEST_F(FedStreamTest, ACancelledStreamSaysSoToWhoeverWaits) {
  const v1::StreamBatchesRequest request = RowsRequest();
  const ServedMessages served = service_.Serve(request);
  const StreamHandle stream = Receive(request, served.opened);
  std::thread waits([&] {
    ik_batch batch;
    const Failure failure(ik_stream_next(stream.get(), 60, &batch));
    EXPECT_EQ(failure.code, 1U) << failure.text;
  });
  ik_stream_cancel(stream.get());
  waits.join();
  EXPECT_EQ(Feed(stream.get(), served.parts[0].SerializeAsString()).code, 1U);
}

TEST_F(FedStreamTest, NothingComesOfWhatIsMissing) {
  ik_stream* stream = nullptr;
  EXPECT_THAT(Failure(ik_stream_receive(nullptr, &stream)).text,
              HasSubstr("options: null"));
  const ik_receive_options empty = {};
  EXPECT_THAT(Failure(ik_stream_receive(&empty, &stream)).text,
              HasSubstr("did not begin"));
  uint32_t batches = 0;
  EXPECT_THAT(Failure(ik_stream_feed(nullptr, nullptr, 0, &batches)).text,
              HasSubstr("null"));
  ik_stream_finish(nullptr);
  const v1::StreamBatchesRequest request = RowsRequest();
  const StreamHandle opened = Receive(request, service_.Serve(request).opened);
  EXPECT_THAT(Failure(ik_stream_feed(opened.get(), nullptr, 9, &batches)).text,
              HasSubstr("request: null"));
}

}  // namespace
}  // namespace inkstream
