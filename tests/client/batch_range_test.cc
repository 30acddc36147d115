#include "inkstream/batch_range.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_drawing_server.h"
#include "tests/support/scripted_stream.h"

namespace inkstream {
namespace {

using inkstream::testing::BatchOf;
using inkstream::testing::Connected;
using inkstream::testing::Epoch;
using inkstream::testing::FakeDrawingServer;
using inkstream::testing::OpenedPart;
using ::testing::ElementsAre;

TEST(BatchRange, GivesEveryBatchAndSaysThatTheStreamEnded) {
  FakeDrawingServer server;
  server.OnStream(Epoch(4, 5));
  const auto client = Connected({server.target()});
  auto stream = client->Stream({});
  ASSERT_TRUE(stream.ok()) << stream.status();
  BatchRange batches(stream->get());
  std::vector<uint64_t> seen;
  for (const Batch& batch : batches) seen.push_back(batch.sequence());
  EXPECT_THAT(seen, ElementsAre(0, 1, 2, 3));
  EXPECT_TRUE(batches.status().ok()) << batches.status();
}

TEST(BatchRange, ALoopThatIsLeftGoesOnBehindItsBatch) {
  FakeDrawingServer server;
  server.OnStream(Epoch(4, 5));
  const auto client = Connected({server.target()});
  auto stream = client->Stream({});
  ASSERT_TRUE(stream.ok()) << stream.status();
  BatchRange batches(stream->get());
  std::vector<Batch> kept;
  for (Batch& batch : batches) {
    kept.push_back(std::move(batch));
    if (kept.size() == 2) break;
  }
  for (Batch& batch : batches) kept.push_back(std::move(batch));
  ASSERT_EQ(kept.size(), 4);
  EXPECT_EQ(kept[2].sequence(), 2);
}

TEST(BatchRange, AnErrorEndsTheLoopAndIsKept) {
  FakeDrawingServer server;
  server.OnStream(
      [](grpc::ServerContext*, FakeDrawingServer::BatchStream* stream) {
        v1::StreamBatchesRequest request;
        stream->Read(&request);
        stream->Write(OpenedPart());
        stream->Write(BatchOf(0, 0, 3, 3));
        return grpc::Status(grpc::StatusCode::DATA_LOSS, "record 7 is damaged");
      });
  const auto client = Connected({server.target()});
  auto stream = client->Stream({});
  ASSERT_TRUE(stream.ok()) << stream.status();
  BatchRange batches(stream->get());
  int seen = 0;
  for (const Batch& batch : batches) seen += batch.rows() > 0;
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(batches.status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace inkstream
