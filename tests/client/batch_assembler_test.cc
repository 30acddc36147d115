#include "client/engine/batch_assembler.h"

#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "client/cpp/batch/batch_buffers.h"
#include "client/cpp/messages/from_proto.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_drawing_server.h"

namespace inkstream::client {
namespace {

using inkstream::testing::BatchOf;

constexpr uint64_t kMaxBytes = 1 << 20;

class BatchAssemblerTest : public ::testing::Test {
 protected:
  absl::Status Add(const v1::BatchPart& part) {
    const std::string bytes = part.SerializeAsString();
    const absl::StatusOr<engine::PartView> view = engine::ReadPart(
        {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
    EXPECT_TRUE(view.ok()) << view.status();
    return assembler_.Add(*view, [this](engine::ReceivedBatch batch) {
      batches_.push_back(std::move(batch));
      return absl::OkStatus();
    });
  }

  std::vector<int64_t> Index(size_t batch) {
    const Batch made(ContentOf(std::move(batches_[batch]), nullptr));
    const auto values = made.Values<int64_t>("index");
    EXPECT_TRUE(values.ok()) << values.status();
    return {values->begin(), values->end()};
  }

  BatchBuffers buffers_{2};
  engine::BatchAssembler assembler_{
      [this](uint64_t bytes) { return buffers_.Acquire(bytes); }, kMaxBytes,
      2 * kMaxBytes, /*rows=*/nullptr};
  std::vector<engine::ReceivedBatch> batches_;
};

// `whole`, cut after each of `cuts` bytes.
std::vector<v1::BatchPart> Cut(const v1::BatchPart& whole,
                               std::vector<size_t> cuts) {
  cuts.push_back(whole.data().size());
  std::vector<v1::BatchPart> parts;
  size_t from = 0;
  for (const size_t to : cuts) {
    v1::BatchPart part;
    if (parts.empty()) {
      part = whole;
      part.mutable_batches(0)->set_part_count(cuts.size());
    } else {
      part.set_batch_seq(whole.batch_seq());
      part.set_part(parts.size());
      part.set_offset(from);
    }
    part.set_data(whole.data().substr(from, to - from));
    parts.push_back(part);
    from = to;
  }
  return parts;
}

TEST_F(BatchAssemblerTest, WholeBatchIsOneBatch) {
  ASSERT_TRUE(Add(BatchOf(0, 5, 3, 3)).ok());
  ASSERT_EQ(batches_.size(), 1);
  EXPECT_EQ(batches_[0].header.cursor().position(), 3);
  EXPECT_EQ(
      reinterpret_cast<uintptr_t>(batches_[0].bytes.get()) % kTensorAlignment,
      0);
  EXPECT_THAT(Index(0), ::testing::ElementsAre(5, 6, 7));
}

TEST_F(BatchAssemblerTest, PartsAreReassembledInOrder) {
  const v1::BatchPart whole = BatchOf(0, 100, 50, 50);
  const std::vector<v1::BatchPart> parts = Cut(whole, {1, 64, 399});
  for (size_t i = 0; i < parts.size(); ++i) {
    EXPECT_TRUE(batches_.empty());
    EXPECT_EQ(assembler_.incomplete(), i > 0);
    ASSERT_TRUE(Add(parts[i]).ok());
  }
  EXPECT_FALSE(assembler_.incomplete());
  ASSERT_EQ(batches_.size(), 1);
  EXPECT_EQ(std::memcmp(batches_[0].bytes.get(), whole.data().data(), 400), 0);
}

TEST_F(BatchAssemblerTest, SeveralBatchesTravelInOneMessage) {
  v1::BatchPart joined = BatchOf(0, 0, 2, 2);
  const v1::BatchPart second = BatchOf(1, 2, 3, 5);
  *joined.add_batches() = second.batches(0);
  joined.mutable_batches(1)->set_data_offset(64);
  joined.mutable_data()->resize(64);
  joined.mutable_data()->append(second.data());
  ASSERT_TRUE(Add(joined).ok());
  ASSERT_EQ(batches_.size(), 2);
  EXPECT_THAT(Index(0), ::testing::ElementsAre(0, 1));
  EXPECT_THAT(Index(1), ::testing::ElementsAre(2, 3, 4));
}

TEST_F(BatchAssemblerTest, BufferIsReusedOnceItsBatchIsGone) {
  ASSERT_TRUE(Add(BatchOf(0, 0, 1000, 1000)).ok());
  const uint8_t* first = batches_[0].bytes.get();
  batches_.clear();
  ASSERT_TRUE(Add(BatchOf(1, 0, 1000, 2000)).ok());
  EXPECT_EQ(batches_[0].bytes.get(), first);
}

TEST(BatchAssembler, WhatThereIsNoMemoryForIsKeptAsItCame) {
  engine::BatchAssembler assembler(
      [](uint64_t /*bytes*/) { return std::shared_ptr<uint8_t>(); }, kMaxBytes,
      kMaxBytes, /*rows=*/nullptr);
  const v1::BatchPart whole = BatchOf(0, 100, 50, 50);
  std::string kept;
  for (const v1::BatchPart& part : Cut(whole, {1, 399})) {
    const std::string bytes = part.SerializeAsString();
    const auto view = engine::ReadPart(
        {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
    ASSERT_TRUE(assembler
                    .Add(*view,
                         [&](const engine::ReceivedBatch& batch) {
                           kept.assign(batch.kept.begin(), batch.kept.end());
                           return absl::OkStatus();
                         })
                    .ok());
  }
  EXPECT_EQ(kept, whole.data());
}

TEST(BatchBuffers, BufferOutlivesItsPool) {
  std::shared_ptr<uint8_t> bytes;
  {
    BatchBuffers buffers(1);
    bytes = *buffers.Acquire(100);
  }
  std::memset(bytes.get(), 1, 100);
}

TEST(BatchBuffers, SmallBatchDoesNotKeepALargeBuffer) {
  BatchBuffers buffers(4);
  const uint8_t* large = buffers.Acquire(1 << 20)->get();
  EXPECT_NE(buffers.Acquire(64)->get(), large);
  EXPECT_EQ(buffers.Acquire(1 << 20)->get(), large);
}

struct Breakage {
  const char* name;
  std::function<void(v1::BatchPart*)> apply;
};

class BrokenBatch : public BatchAssemblerTest,
                    public ::testing::WithParamInterface<Breakage> {};

TEST_P(BrokenBatch, IsRefused) {
  v1::BatchPart part = BatchOf(0, 0, 8, 8);
  GetParam().apply(&part);
  const absl::Status status = Add(part);
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal) << status;
  EXPECT_THAT(status.message(), ::testing::HasSubstr("broke the protocol"));
  EXPECT_TRUE(batches_.empty());
}

v1::Tensor* FirstTensor(v1::BatchPart* part) {
  return part->mutable_batches(0)->mutable_tensors(0);
}

INSTANTIATE_TEST_SUITE_P(
    BatchAssembler, BrokenBatch,
    ::testing::Values(
        Breakage{
            "NotTheNextSequence",
            [](v1::BatchPart* p) { p->mutable_batches(0)->set_batch_seq(1); }},
        Breakage{"FirstPartIsNotPartZero",
                 [](v1::BatchPart* p) { p->set_part(1); }},
        Breakage{"FirstPartHasAnOffset",
                 [](v1::BatchPart* p) { p->set_offset(8); }},
        Breakage{"WithoutHeader", [](v1::BatchPart* p) { p->clear_batches(); }},
        Breakage{"ShorterThanAnnounced",
                 [](v1::BatchPart* p) { p->mutable_data()->pop_back(); }},
        Breakage{"LongerThanAnnounced",
                 [](v1::BatchPart* p) {
                   p->mutable_batches(0)->set_part_count(2);
                   p->mutable_data()->append(100, 'x');
                 }},
        Breakage{"DataOffsetBeyondTheMessage",
                 [](v1::BatchPart* p) {
                   p->mutable_batches(0)->set_data_offset(~uint64_t{0});
                 }},
        Breakage{"TensorBeyondTheBatch",
                 [](v1::BatchPart* p) { FirstTensor(p)->set_offset(64); }},
        Breakage{"TensorOffsetThatOverflows",
                 [](v1::BatchPart* p) {
                   FirstTensor(p)->set_offset(~uint64_t{0} - 63);
                 }},
        Breakage{"TensorNotAligned",
                 [](v1::BatchPart* p) {
                   FirstTensor(p)->set_offset(8);
                   FirstTensor(p)->set_length(56);
                   FirstTensor(p)->set_shape(0, 7);
                 }},
        Breakage{"ShapeThatIsNotTheLength",
                 [](v1::BatchPart* p) { FirstTensor(p)->set_shape(0, 7); }},
        Breakage{"NegativeShape",
                 [](v1::BatchPart* p) { FirstTensor(p)->set_shape(0, -8); }},
        Breakage{"ShapeThatOverflows",
                 [](v1::BatchPart* p) {
                   FirstTensor(p)->set_shape(0, int64_t{1} << 62);
                   FirstTensor(p)->add_shape(int64_t{1} << 62);
                 }},
        Breakage{"UnknownDtype",
                 [](v1::BatchPart* p) {
                   FirstTensor(p)->set_dtype(static_cast<v1::DType>(99));
                 }},
        Breakage{"NoDtype",
                 [](v1::BatchPart* p) { FirstTensor(p)->clear_dtype(); }},
        Breakage{"MultiPartBatchAmongOthers",
                 [](v1::BatchPart* p) {
                   p->mutable_batches(0)->set_part_count(2);
                   *p->add_batches() = p->batches(0);
                 }}),
    [](const auto& info) { return info.param.name; });

class BrokenLaterPart : public BatchAssemblerTest,
                        public ::testing::WithParamInterface<Breakage> {};

TEST_P(BrokenLaterPart, IsRefused) {
  std::vector<v1::BatchPart> parts = Cut(BatchOf(0, 0, 8, 8), {32});
  GetParam().apply(&parts[1]);
  ASSERT_TRUE(Add(parts[0]).ok());
  const absl::Status status = Add(parts[1]);
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal) << status;
  EXPECT_TRUE(batches_.empty());
}

INSTANTIATE_TEST_SUITE_P(
    BatchAssembler, BrokenLaterPart,
    ::testing::Values(
        Breakage{"OfAnotherBatch",
                 [](v1::BatchPart* p) { p->set_batch_seq(1); }},
        Breakage{"WithAPartLeftOut", [](v1::BatchPart* p) { p->set_part(2); }},
        Breakage{"AtAnotherOffset",
                 [](v1::BatchPart* p) { p->set_offset(40); }},
        Breakage{"Empty", [](v1::BatchPart* p) { p->clear_data(); }},
        Breakage{"TooLong",
                 [](v1::BatchPart* p) { p->mutable_data()->append("x"); }},
        Breakage{"TooShortAndLast",
                 [](v1::BatchPart* p) { p->mutable_data()->pop_back(); }},
        Breakage{"InterleavedWithANewBatch",
                 [](v1::BatchPart* p) { *p = BatchOf(1, 0, 8, 16); }}),
    [](const auto& info) { return info.param.name; });

TEST_F(BatchAssemblerTest, BatchAboveTheLimitIsRefusedBeforeItIsAllocated) {
  v1::BatchPart part = BatchOf(0, 0, 8, 8);
  part.mutable_batches(0)->set_byte_size(kMaxBytes + 64);
  const absl::Status status = Add(part);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), ::testing::HasSubstr("1048576"));
  part.mutable_batches(0)->set_byte_size(uint64_t{1} << 62);
  EXPECT_EQ(Add(part).code(), absl::StatusCode::kInternal);
}

TEST(Batch, NamesItsTensorsWhereOneIsMissing) {
  Batch::Content content;
  content.tensors = {{"image", DType::kUint8, {0}, 0, 0},
                     {"label", DType::kInt64, {0}, 0, 0}};
  const Batch batch(std::move(content));
  EXPECT_EQ(batch.Find("lable").status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(batch.Find("lable").status().message(),
              ::testing::HasSubstr("\"image\", \"label\""));
  EXPECT_EQ(batch.Values<float>("label").status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(batch.Values<int64_t>("label").ok());
}

}  // namespace
}  // namespace inkstream::client
