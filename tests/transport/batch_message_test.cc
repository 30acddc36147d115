#include "server/transport/grpc/methods/batch_message.h"

#include <gtest/gtest.h>
#include <inkstream/v1/batch.pb.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "server/transport/grpc/calls/proto_message.h"
#include "tests/support/heap_buffer_pool.h"

namespace inkstream::transport {
namespace {

class BatchMessagesTest : public ::testing::Test {
 protected:
  BatchMessagesTest() {
    facts_.dataset = "fake";
    facts_.start.fingerprint = std::string(64, 'f');
    facts_.start.plan_hash = std::string(32, 'a');
    facts_.start.order_plan = "plan";
    facts_.vocabulary = {"cat", "dog"};
    facts_.countrycodes = {"DE"};
  }

  batch::FinishedBatch Batch(uint64_t sequence, uint64_t bytes) {
    batch::FinishedBatch batch;
    batch.sequence = sequence;
    batch.byte_size = bytes;
    batch.after = {0, sequence + 1};
    batch.tensors = {
        {"word", DType::kInt64, {static_cast<int64_t>(bytes / 8)}, 0, bytes}};
    batch.buffer = *pool_.Acquire(bytes);
    for (uint64_t i = 0; i < bytes; ++i) {
      batch.buffer->data()[i] =
          static_cast<uint8_t>(sequence + i * 7 + i / 999);
    }
    return batch;
  }

  static std::string Expected(uint64_t sequence, uint64_t bytes) {
    std::string data(bytes, '\0');
    for (uint64_t i = 0; i < bytes; ++i) {
      data[i] = static_cast<char>(sequence + i * 7 + i / 999);
    }
    return data;
  }

  static v1::BatchPart Parsed(const grpc::ByteBuffer& message) {
    v1::BatchPart part;
    EXPECT_TRUE(ParseMessage(message, &part).ok());
    return part;
  }

  testing::HeapBufferPool pool_;
  const std::shared_ptr<UnreadBytes> unread_ = std::make_shared<UnreadBytes>();
  batch::StreamFacts facts_;
};

TEST_F(BatchMessagesTest, PartsFitTheLimitAndMakeTheBatchAgain) {
  for (const uint32_t limit : {65536U, 100'000U, 1U << 20U}) {
    for (const uint64_t bytes :
         {uint64_t{64}, uint64_t{64'000}, uint64_t{65'472}, uint64_t{1'000'000},
          uint64_t{3'000'064}}) {
      BatchMessages messages(facts_, limit, unread_);
      messages.Add(Batch(5, bytes));
      std::string data;
      uint32_t parts = 0;
      uint32_t announced = 0;
      while (!messages.empty()) {
        grpc::ByteBuffer message;
        ASSERT_TRUE(messages.Next(&message).ok());
        EXPECT_LE(message.Length(), limit);
        const v1::BatchPart part = Parsed(message);
        EXPECT_EQ(part.batch_seq(), 5U);
        EXPECT_EQ(part.part(), parts++);
        EXPECT_EQ(part.offset(), data.size());
        if (parts == 1) announced = part.batches(0).part_count();
        data += part.data();
      }
      EXPECT_EQ(parts, announced) << limit << " " << bytes;
      EXPECT_EQ(data, Expected(5, bytes)) << limit << " " << bytes;
    }
  }
  EXPECT_EQ(pool_.in_use(), 0U);
}

TEST_F(BatchMessagesTest, SlowClientsGetShortMessagesAndFastOnesLong) {
  constexpr uint64_t kMiB = 1U << 20U;
  BatchMessages messages(facts_, 4U << 20U, unread_);
  uint64_t sequence = 0;
  // Of the next batch, each of whose messages takes so long.
  const auto parts = [&](std::chrono::milliseconds took) {
    messages.Add(Batch(sequence, 3 * kMiB));
    std::string data;
    int number = 0;
    for (; !messages.empty(); ++number) {
      grpc::ByteBuffer message;
      EXPECT_TRUE(messages.Next(&message).ok());
      data += Parsed(message).data();
      messages.Written(took);
    }
    EXPECT_EQ(data, Expected(sequence++, 3 * kMiB));
    return number;
  };
  EXPECT_EQ(parts(std::chrono::milliseconds(1)), 3) << "nothing is known yet";
  EXPECT_EQ(parts(std::chrono::seconds(2)), 1);
  EXPECT_EQ(parts(std::chrono::milliseconds(500)), 2);
  EXPECT_EQ(parts(std::chrono::seconds(2)), 2);
  EXPECT_EQ(parts(std::chrono::seconds(2)), 6);
  EXPECT_EQ(parts(std::chrono::seconds(2)), 48);
  EXPECT_EQ(parts(std::chrono::seconds(2)), 48);
  EXPECT_EQ(parts(std::chrono::milliseconds(1)), 48);
  EXPECT_EQ(parts(std::chrono::milliseconds(1)), 12);
  EXPECT_EQ(parts(std::chrono::milliseconds(1)), 3);
  EXPECT_EQ(parts(std::chrono::milliseconds(1)), 1);
}

TEST_F(BatchMessagesTest, SmallBatchesShareAMessage) {
  BatchMessages messages(facts_, 4U << 20U, unread_);
  for (uint64_t i = 0; i < 3; ++i) messages.Add(Batch(i, 6400));
  grpc::ByteBuffer message;
  ASSERT_TRUE(messages.Next(&message).ok());
  EXPECT_TRUE(messages.empty());
  const v1::BatchPart part = Parsed(message);
  ASSERT_EQ(part.batches_size(), 3);
  for (uint64_t i = 0; i < 3; ++i) {
    const v1::BatchHeader& header = part.batches(static_cast<int>(i));
    EXPECT_EQ(header.data_offset(), 6400 * i);
    EXPECT_EQ(header.part_count(), 1U);
    EXPECT_EQ(part.data().substr(header.data_offset(), header.byte_size()),
              Expected(i, 6400));
  }
}

TEST_F(BatchMessagesTest, OnlyWholeBatchesShareOne) {
  BatchMessages messages(facts_, 65536, unread_);
  messages.Add(Batch(0, 60'032));
  messages.Add(Batch(1, 60'032));
  messages.Add(Batch(2, 100'032));
  std::vector<v1::BatchPart> parts;
  while (!messages.empty()) {
    grpc::ByteBuffer message;
    ASSERT_TRUE(messages.Next(&message).ok());
    parts.push_back(Parsed(message));
  }
  ASSERT_EQ(parts.size(), 4U);
  EXPECT_EQ(parts[1].batches(0).batch_seq(), 1U);
  EXPECT_EQ(parts[2].batches(0).part_count(), 2U);
  EXPECT_EQ(parts[2].data() + parts[3].data(), Expected(2, 100'032));
}

TEST_F(BatchMessagesTest, TheBufferGoesBackWithTheLastMessageOfIt) {
  BatchMessages messages(facts_, 65536, unread_);
  messages.Add(Batch(0, 100'032));
  grpc::ByteBuffer first;
  grpc::ByteBuffer second;
  ASSERT_TRUE(messages.Next(&first).ok());
  ASSERT_TRUE(messages.Next(&second).ok());
  first.Clear();
  EXPECT_GT(pool_.in_use(), 0U);
  second.Clear();
  EXPECT_EQ(pool_.in_use(), 0U);
}

TEST_F(BatchMessagesTest, BytesAreUnreadUntilTheirMessageIsLetGo) {
  const auto since = UnreadBytes::Clock::now() - std::chrono::hours(1);
  const auto later = UnreadBytes::Clock::now() + std::chrono::hours(1);
  BatchMessages messages(facts_, 4U << 20U, unread_);
  messages.Add(Batch(0, 1'000'000));
  EXPECT_EQ(unread_->bytes(), 0U);
  EXPECT_FALSE(unread_->StuckSince(later)) << "nothing is unread";
  grpc::ByteBuffer message;
  ASSERT_TRUE(messages.Next(&message).ok());
  EXPECT_EQ(unread_->bytes(), 1'000'000U);
  EXPECT_TRUE(unread_->StuckSince(later));
  EXPECT_FALSE(unread_->StuckSince(since));
  EXPECT_GT(pool_.in_use(), 0U);
  message.Clear();
  EXPECT_EQ(unread_->bytes(), 0U);
  EXPECT_EQ(pool_.in_use(), 0U);
}

TEST_F(BatchMessagesTest, HeadersSayWhereToGoOn) {
  BatchMessages messages(facts_, 4U << 20U, unread_);
  messages.Add(Batch(0, 64));
  grpc::ByteBuffer message;
  ASSERT_TRUE(messages.Next(&message).ok());
  const v1::BatchPart part = Parsed(message);
  const v1::BatchHeader& header = part.batches(0);
  EXPECT_EQ(header.cursor().fingerprint(), std::string(64, 'f'));
  EXPECT_EQ(header.cursor().plan_hash(), std::string(32, 'a'));
  EXPECT_TRUE(header.cursor().order_plan().empty());
  EXPECT_EQ(header.cursor().position(), 1U);
}

TEST_F(BatchMessagesTest, WhatIntegersMeanTravelsOnceAStream) {
  facts_.vocabulary.assign(1000, "a word of some length");
  BatchMessages messages(facts_, 65536, unread_);
  grpc::ByteBuffer message;
  ASSERT_TRUE(messages.Opened(8, 1, {}, &message).ok());
  const v1::StreamOpened opened = Parsed(message).opened();
  EXPECT_EQ(opened.vocabulary_size(), 1000);
  ASSERT_EQ(opened.countrycodes_size(), 1);
  EXPECT_EQ(opened.countrycodes(0), "DE");
  messages.Add(Batch(0, 64));
  ASSERT_TRUE(messages.Next(&message).ok());
  EXPECT_LT(message.Length(), 1000U);
}

TEST_F(BatchMessagesTest, AVocabularyLongerThanAMessageIsRefused) {
  facts_.vocabulary.assign(10'000, "a word of some length");
  BatchMessages messages(facts_, 65536, unread_);
  grpc::ByteBuffer message;
  EXPECT_EQ(messages.Opened(8, 1, {}, &message).code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace inkstream::transport
