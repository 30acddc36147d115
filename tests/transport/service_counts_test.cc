#include "server/transport/status/service_counts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/base/status_reason.h"

namespace inkstream::transport {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TEST(ServiceCountsTest, WhatIsSentIsCountedByDatasetWayAndCodec) {
  ServiceCounts counts;
  const SentKey packed = {"a", true, Codec::kStrokes};
  counts.Sent(packed, {1, 10, 1000, 100}, 0.002);
  counts.Sent(packed, {2, 20, 2000, 200}, 0.5);
  counts.Sent({"a", false, Codec::kNone}, {1, 10, 1000, 0}, 5);
  const ServiceCounts::Values values = counts.values();
  ASSERT_EQ(values.sent.size(), 2U);
  EXPECT_EQ(values.sent.at(packed).drawings, 30U);
  EXPECT_EQ(values.sent.at(packed).wire_bytes, 300U);
  EXPECT_EQ(counts.sent().batches, 4U);
  const SecondsHistogram& writes = values.stages.at("write");
  EXPECT_THAT(writes.counts, ElementsAre(0, 0, 1, 0, 0, 0, 0, 1, 1));
  EXPECT_DOUBLE_EQ(writes.sum, 5.502);
}

TEST(ServiceCountsTest, EndsAndAnswersThatRefuseAreRejectionsByReason) {
  ServiceCounts counts;
  counts.StreamEnded("a", {}, absl::OkStatus(), "EPOCHS_DONE");
  counts.StreamEnded("a", {}, absl::UnavailableError("x"), kReasonSlowReader);
  counts.StreamEnded("", {}, absl::NotFoundError("x"), "ERROR");
  counts.Answered("FetchDrawings", absl::StatusCode::kResourceExhausted, "");
  counts.Answered("FetchDrawings", absl::StatusCode::kOk, "");
  const ServiceCounts::Values values = counts.values();
  EXPECT_THAT(values.rejected, UnorderedElementsAre(Pair(kReasonSlowReader, 1),
                                                    Pair("OTHER", 1)));
  EXPECT_EQ(values.ends.at({"UNAVAILABLE", kReasonSlowReader}), 1U);
  EXPECT_EQ(values.calls.at({"FetchDrawings", "OK"}), 1U);
}

TEST(ServiceCountsTest, SecondsOfStreamsThatAreGoneAreKeptByDataset) {
  ServiceCounts counts;
  StreamSeconds seconds;
  seconds.network = 1;
  seconds.waited.draw = 2;
  counts.StreamEnded("a", seconds, absl::OkStatus(), "EPOCHS_DONE");
  counts.StreamEnded("a", seconds, absl::OkStatus(), "EPOCHS_DONE");
  counts.StreamEnded("", seconds, absl::NotFoundError("x"), "ERROR");
  const auto gone = counts.values().gone_streams;
  ASSERT_EQ(gone.size(), 1U);
  EXPECT_EQ(gone.at("a").network, 2);
  EXPECT_EQ(gone.at("a").waited.draw, 4);
}

}  // namespace
}  // namespace inkstream::transport
