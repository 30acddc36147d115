#include "client/cpp/batch/rows_to_draw.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "server/base/status_reason.h"
#include "server/raster/draw/rasterizer.h"
#include "server/rows/stroke_coding.h"

namespace inkstream::client {
namespace {

using ::testing::HasSubstr;
using Bytes = std::vector<uint8_t>;

constexpr uint32_t kRows = 4;

Bytes Line() {
  Drawing drawing;
  drawing.x = {0, 255};
  drawing.y = {9, 9};
  drawing.stroke_ends = {2};
  Bytes bytes(rows::MostStrokesBytes(drawing.strokes()));
  bytes.resize(rows::EncodeStrokes(drawing.strokes(), bytes.data()) -
               bytes.data());
  return bytes;
}

class RowsToDrawTest : public ::testing::Test {
 protected:
  RowsToDrawTest() {
    v1::Delivery* const delivery = opening_.mutable_open()->mutable_delivery();
    delivery->mutable_image()->set_height(16);
    delivery->add_columns("word");
    delivery->set_batch_size(kRows);
    opened_.set_dataset("quickdraw");
    opened_.set_codec(v1::CODEC_STROKES);
    opened_.set_raster_version(raster::kRasterVersion);
    opened_.mutable_cursor()->set_fingerprint("f");
  }

  v1::Delivery* delivery() {
    return opening_.mutable_open()->mutable_delivery();
  }

  std::shared_ptr<AgreedRows> Agreed(int threads = 1) {
    auto plan = engine::RowsPlan::Create(*engine::AskedBy(opening_), opened_,
                                         "there:1", threads);
    EXPECT_TRUE(plan.ok()) << plan.status();
    auto agreed = std::make_shared<AgreedRows>();
    agreed->plan = *std::move(plan);
    return agreed;
  }

  // A batch of those strokes, and a header that is true.
  static Bytes Batch(const std::vector<Bytes>& strokes,
                     v1::BatchHeader* header) {
    const uint64_t n = strokes.size();
    const rows::RowsShape shape = {1, false};
    Bytes bytes(shape.Strokes(n), 0);
    std::memset(bytes.data() + shape.Valid(n), 1, n);
    for (uint64_t i = 0; i < n; ++i) {
      const int64_t index = 100 + static_cast<int64_t>(i);
      const auto length = static_cast<uint32_t>(strokes[i].size());
      std::memcpy(bytes.data() + shape.Index(n) + 8 * i, &index, 8);
      std::memcpy(bytes.data() + shape.Lengths(n) + 4 * i, &length, 4);
      bytes.insert(bytes.end(), strokes[i].begin(), strokes[i].end());
    }
    header->mutable_rows()->set_count(static_cast<uint32_t>(n));
    header->mutable_rows()->set_checksum(rows::ChecksumOf(bytes));
    header->set_wire_size(bytes.size());
    return bytes;
  }

  absl::StatusOr<ReceivedBatch> Draw(const std::shared_ptr<AgreedRows>& agreed,
                                     const v1::BatchHeader& header,
                                     const Bytes& bytes) {
    absl::Status status = agreed->plan->Check(header);
    EXPECT_TRUE(status.ok()) << status;
    ReceivedBatch received = {header, nullptr, bytes, {}};
    auto rows = agreed->plan->Parse(header, received.kept);
    if (!rows.ok()) return rows.status();
    received.rows = *std::move(rows);
    RowsToDraw to_draw(agreed, std::move(received));
    EXPECT_FALSE(to_draw.begun());
    engine::DrawingQueue queue([] {});
    size_t left = to_draw.Begin(&buffers_, &queue);
    EXPECT_TRUE(to_draw.begun());
    for (; left > 0; --left) {
      EXPECT_FALSE(to_draw.ready());
      queue.TakeTurn();
    }
    EXPECT_TRUE(to_draw.ready());
    return to_draw.Take();
  }

  v1::StreamBatchesRequest opening_;
  v1::StreamOpened opened_;
  BatchBuffers buffers_{2};
};

TEST_F(RowsToDrawTest, ABatchIsDescribedAsIfItHadBeenDrawnThere) {
  v1::BatchHeader header;
  header.mutable_cursor()->set_position(4);
  const Bytes bytes = Batch({Line(), Line(), {}, Line()}, &header);
  const auto batch = Draw(Agreed(), header, bytes);
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_EQ(batch->header.cursor().fingerprint(), "f");
  EXPECT_EQ(batch->header.cursor().position(), 4U);
  ASSERT_EQ(batch->header.tensors_size(), 4);
  EXPECT_EQ(batch->header.tensors(1).name(), "word");
  EXPECT_EQ(batch->header.bad(), 0U);
  const uint8_t* const image =
      batch->bytes.get() + batch->header.tensors(0).offset();
  const std::string first(image, image + 256);
  EXPECT_NE(first, std::string(256, '\0'));
  EXPECT_EQ(std::string(image + 512, image + 768), std::string(256, '\0'));
  EXPECT_EQ(std::string(image + 768, image + 1024), first);
  const v1::Tensor& valid = batch->header.tensors(3);
  EXPECT_EQ(std::string(batch->bytes.get() + valid.offset(),
                        batch->bytes.get() + valid.offset() + 4),
            std::string("\1\1\0\1", 4));
}

TEST_F(RowsToDrawTest, HeadersThatCannotBeTrueAreRefused) {
  v1::BatchHeader sound;
  Batch({Line(), Line()}, &sound);
  const std::shared_ptr<AgreedRows> agreed = Agreed();
  ASSERT_TRUE(agreed->plan->Check(sound).ok());
  const std::vector<std::function<void(v1::BatchHeader*)>> lies = {
      [](v1::BatchHeader* h) { h->mutable_rows()->set_count(0); },
      [](v1::BatchHeader* h) { h->mutable_rows()->set_count(kRows + 1); },
      [](v1::BatchHeader* h) { h->mutable_rows()->set_occurrences(true); },
      [](v1::BatchHeader* h) { h->set_wire_size(20); },
      [](v1::BatchHeader* h) { h->set_wire_size(1U << 20U); },
      [](v1::BatchHeader* h) { h->set_wire_size(~uint64_t{0}); },
      [](v1::BatchHeader* h) { h->set_byte_size(64); },
      [](v1::BatchHeader* h) { h->add_tensors(); }};
  for (const auto& lie : lies) {
    v1::BatchHeader header = sound;
    lie(&header);
    EXPECT_EQ(agreed->plan->Check(header).code(), absl::StatusCode::kInternal);
  }
}

TEST_F(RowsToDrawTest, ADamagedLinkIsNotADamagedStore) {
  v1::BatchHeader header;
  Bytes bytes = Batch({Line(), Line()}, &header);
  bytes.back() ^= 1;
  const auto batch = Draw(Agreed(), header, bytes);
  EXPECT_EQ(batch.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(batch.status()), kReasonBroken);
}

TEST_F(RowsToDrawTest, ADrawingThatCannotBeReadIsNamed) {
  v1::BatchHeader header;
  const Bytes bytes = Batch({Line(), {0xFF}}, &header);
  const auto batch = Draw(Agreed(), header, bytes);
  EXPECT_EQ(batch.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(batch.status().message()),
              HasSubstr("drawing 101 of quickdraw at there:1"));
}

TEST_F(RowsToDrawTest, OrItIsSkippedAndCountedWithTheServers) {
  delivery()->set_on_corrupt(v1::Delivery::ON_CORRUPT_SKIP);
  delivery()->set_max_bad(3);
  const std::shared_ptr<AgreedRows> agreed = Agreed();
  v1::BatchHeader header;
  const Bytes bytes = Batch({Line(), {0xFF}}, &header);
  header.set_bad(1);
  const auto first = Draw(agreed, header, bytes);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->header.bad(), 2U);
  const v1::Tensor& valid = first->header.tensors(3);
  EXPECT_EQ(first->bytes.get()[valid.offset() + 1], 0);
  const auto second = Draw(agreed, header, bytes);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(second.status().message()),
              HasSubstr("4 damaged drawings"));
}

TEST_F(RowsToDrawTest, AServerThatDrawsOtherwiseIsNotUsed) {
  opened_.set_raster_version(1000);
  const auto plan =
      engine::RowsPlan::Create(*engine::AskedBy(opening_), opened_, "there:1",
                               /*threads=*/1);
  EXPECT_EQ(plan.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(plan.status().message()), HasSubstr("1000"));
}

}  // namespace
}  // namespace inkstream::client
