#include "client/engine/part_view.h"

#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "client/cpp/call/raw_call.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace inkstream::engine {
namespace {

using google::protobuf::io::ArrayInputStream;

// The bytes as gRPC might give them: in blocks of at most `block` bytes. They
// are borrowed.
absl::StatusOr<PartView> ReadInBlocks(const std::string& bytes, int block) {
  ArrayInputStream in(bytes.data(), static_cast<int>(bytes.size()), block);
  return ReadPart(&in, bytes.size());
}

std::string DataOf(const PartView& view) {
  std::string data(view.data_size, 'x');
  view.CopyData(0, view.data_size, reinterpret_cast<uint8_t*>(data.data()));
  return data;
}

v1::BatchPart FullPart() {
  v1::BatchPart part;
  part.set_batch_seq(0xFFFFFFFFFFFFFFFF);
  part.set_part(300);
  part.set_offset(uint64_t{1} << 40U);
  for (int i = 0; i < 3; ++i) {
    v1::BatchHeader* header = part.add_batches();
    header->set_batch_seq(i);
    header->mutable_cursor()->set_fingerprint(std::string(64, 'f'));
    header->add_tensors()->set_name("image");
  }
  part.set_data("0123456789 bulk bytes");
  return part;
}

TEST(ReadPart, ReadsWhatProtobufWroteHoweverItLies) {
  const v1::BatchPart part = FullPart();
  const std::string bytes = part.SerializeAsString();
  for (const int block : {1, 2, 7, 100'000}) {
    const auto view = ReadInBlocks(bytes, block);
    ASSERT_TRUE(view.ok()) << view.status();
    EXPECT_EQ(view->batch_seq, part.batch_seq());
    EXPECT_EQ(view->part, part.part());
    EXPECT_EQ(view->offset, part.offset());
    ASSERT_EQ(view->batches.size(), 3);
    EXPECT_EQ(view->batches[2].SerializeAsString(),
              part.batches(2).SerializeAsString());
    EXPECT_EQ(DataOf(*view), part.data());
  }
}

TEST(ReadPart, ReadsWhatGrpcReceived) {
  const v1::BatchPart part = FullPart();
  const std::string bytes = part.SerializeAsString();
  std::vector<grpc::Slice> slices;
  for (size_t at = 0; at < bytes.size(); at += 7) {
    slices.emplace_back(bytes.substr(at, 7));
  }
  slices.emplace_back(std::string());
  grpc::ByteBuffer message(slices.data(), slices.size());
  const auto view = client::ReadPart(&message);
  ASSERT_TRUE(view.ok()) << view.status();
  EXPECT_EQ(view->batches.size(), 3);
  EXPECT_EQ(DataOf(*view), part.data());
}

TEST(ReadPart, CopiesWhatIsAskedFor) {
  const std::string bytes = FullPart().SerializeAsString();
  const auto view = ReadInBlocks(bytes, 3);
  ASSERT_TRUE(view.ok()) << view.status();
  const std::string data = FullPart().data();
  for (size_t begin = 0; begin <= data.size(); ++begin) {
    for (size_t size = 0; size <= data.size() - begin; ++size) {
      std::string copy(size, 'x');
      view->CopyData(begin, size, reinterpret_cast<uint8_t*>(copy.data()));
      ASSERT_EQ(copy, data.substr(begin, size));
    }
  }
}

TEST(ReadPart, ReadsTheFirstAndTheLastPart) {
  v1::BatchPart part;
  part.mutable_opened()->set_view_size(7);
  part.mutable_end()->set_reason(v1::StreamEnd::REASON_REBALANCE);
  const auto view = ReadInBlocks(part.SerializeAsString(), 3);
  ASSERT_TRUE(view.ok()) << view.status();
  EXPECT_EQ(view->opened->view_size(), 7);
  EXPECT_EQ(view->end->reason(), v1::StreamEnd::REASON_REBALANCE);
  EXPECT_EQ(view->data_size, 0);
}

TEST(ReadPart, SkipsFieldsOfALaterRelease) {
  // 100: varint, 101: fixed64, 102: bytes, 103: fixed32.
  const std::string unknown(
      "\xa0\x06\x05"
      "\xa9\x06"
      "12345678"
      "\xb2\x06\x02"
      "ab"
      "\xbd\x06"
      "1234",
      3 + 10 + 5 + 6);
  const std::string bytes = FullPart().SerializeAsString();
  const std::string all = unknown + bytes + unknown;
  const auto view = ReadInBlocks(all, 5);
  ASSERT_TRUE(view.ok()) << view.status();
  EXPECT_EQ(DataOf(*view), FullPart().data());
}

TEST(ReadPart, EmptyMessageIsEmpty) {
  const auto view = ReadInBlocks("", 1);
  ASSERT_TRUE(view.ok()) << view.status();
  EXPECT_TRUE(view->batches.empty());
  EXPECT_EQ(view->data_size, 0);
}

TEST(ReadPart, RefusesBytesThatAreNoBatchPart) {
  const std::vector<std::string> broken = {
      "\x08",                      // cut after a tag
      "\x08\x80",                  // cut in a varint
      "\x80",                      // cut in a tag
      std::string("\x00\x01", 2),  // field number 0
      "\x0b",                      // a group
      "\x0e",                      // wire type 6
      "\x0f",                      // wire type 7
      "\x7a\x05"
      "abc",                                           // data beyond the end
      "\x7a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",  // length 2^64 - 1
      "\x7a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",  // 70 bits
      "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",  // more than 10 bytes
      "\x22\x02\x08\x80",                              // header: cut varint
      "\x2a\x01\xff",                                  // opened: not a message
      "\xa9\x06"
      "1234567",  // cut fixed64
      "\xbd\x06"
      "123",  // cut fixed32
  };
  for (const std::string& bytes : broken) {
    for (const int block : {1, 100}) {
      const auto view = ReadInBlocks(bytes, block);
      EXPECT_EQ(view.status().code(), absl::StatusCode::kInternal)
          << ::testing::PrintToString(bytes);
      EXPECT_THAT(view.status().message(),
                  ::testing::HasSubstr("not a BatchPart"));
    }
  }
}

TEST(ReadPart, RefusesMoreHeaderThanAnyBatchNeeds) {
  v1::BatchPart part;
  part.mutable_opened()->set_dataset(std::string(kMostHeaderBytes, 'x'));
  EXPECT_FALSE(ReadInBlocks(part.SerializeAsString(), 1 << 20).ok());
}

// Whatever comes, the parser answers: a part whose data lies in the message,
// or an error. (Run with sanitizers, this finds reads out of bounds.)
TEST(ReadPart, SurvivesDamagedMessages) {
  // Names that are not UTF-8 are each logged otherwise.
  const google::protobuf::LogSilencer silence;
  const std::string good = FullPart().SerializeAsString();
  std::mt19937 random(1);
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = good;
    for (int flips = 1 + static_cast<int>(random() % 4); flips > 0; --flips) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    bytes.resize(bytes.size() - random() % 8);
    const auto view = ReadInBlocks(bytes, 1 + random() % 40);
    if (!view.ok()) {
      ++refused;
    } else {
      ASSERT_LE(view->data_size, bytes.size());
      DataOf(*view);
    }
  }
  EXPECT_GT(refused, 1'000);
}

}  // namespace
}  // namespace inkstream::engine
