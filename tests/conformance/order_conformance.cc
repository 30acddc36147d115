// Which drawings arrive, in which batches, with which cursors.

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "tests/conformance/batch_stream_suite.h"

namespace inkstream::conformance {
namespace {

TEST_P(BatchStreamSuite, OrderIsThatOfTheOrderFunctions) {
  for (const ShuffleKind shuffle : {ShuffleKind::kFull, ShuffleKind::kNone}) {
    for (const Tail tail : {Tail::kDrop, Tail::kPartial, Tail::kPad}) {
      for (const uint32_t world : {1, 3}) {
        SCOPED_TRACE(absl::StrCat("shuffle ", static_cast<int>(shuffle),
                                  " tail ", static_cast<int>(tail), " world ",
                                  world));
        Plan plan = IndexPlan(64);
        plan.view.split = "train";
        plan.order = {.seed = 7, .shuffle = shuffle};
        plan.delivery.tail = tail;
        plan.delivery.world = world;
        plan.delivery.rank = world - 1;
        plan.delivery.epochs = 2;
        ExpectOrder(plan);
      }
    }
  }
}

TEST_P(BatchStreamSuite, ThePlanSaysWhatTheStreamGives) {
  const std::shared_ptr<Client> client = Connect();
  Plan plan = IndexPlan(48);
  plan.view.split = "train";
  plan.order.seed = 3;
  plan.order.sampling = {SamplingKind::kBalanced, 0.5};
  plan.delivery.tail = Tail::kPartial;
  plan.delivery.world = 2;
  plan.delivery.rank = 1;
  const auto report = client->Explain(plan, {.count = 1000});
  ASSERT_TRUE(report.ok()) << report.status();
  const std::vector<Batch> batches = ReadAll(plan);
  ASSERT_EQ(report->steps.size(), batches.size());
  EXPECT_EQ(report->steps_per_epoch, batches.size());
  EXPECT_EQ(report->step_drawings, 96U);
  EXPECT_FALSE(report->components.empty());
  for (size_t i = 0; i < batches.size(); ++i) {
    std::vector<int64_t> indices;
    for (const Row& row : RowsOf(batches[i])) indices.push_back(row.index);
    EXPECT_EQ(report->steps[i].indices, indices) << "step " << i;
    EXPECT_EQ(report->steps[i].cursor, batches[i].cursor());
  }
  plan.start = report->steps[2].cursor;
  const auto rest = client->Explain(plan);
  ASSERT_TRUE(rest.ok()) << rest.status();
  ASSERT_EQ(rest->steps.size(), 1U);
  EXPECT_EQ(rest->steps[0].indices, report->steps[3].indices);
  plan.view.split = "trian";
  EXPECT_THAT(client->Explain(plan).status().message(),
              ::testing::HasSubstr("nearest is \"train\""));
}

TEST_P(BatchStreamSuite, RanksTogetherAreTheView) {
  std::multiset<int64_t> seen;
  for (uint32_t rank = 0; rank < 4; ++rank) {
    Plan plan = IndexPlan(30);
    plan.delivery.tail = Tail::kPartial;
    plan.delivery.world = 4;
    plan.delivery.rank = rank;
    for (const Batch& batch : ReadAll(plan)) {
      for (const Row& row : RowsOf(batch)) {
        if (row.valid) {
          seen.insert(row.index);
        }
      }
    }
  }
  ASSERT_EQ(seen.size(), kDrawings);
  EXPECT_EQ(std::set<int64_t>(seen.begin(), seen.end()).size(), kDrawings);
}

TEST_P(BatchStreamSuite, StridesTogetherAreTheStream) {
  Plan plan = IndexPlan(64);
  plan.delivery.tail = Tail::kPartial;
  plan.delivery.epochs = 2;
  std::map<std::pair<uint64_t, uint64_t>, std::vector<Row>> joined;
  plan.delivery.step_stride = 3;
  for (uint64_t offset = 0; offset < 3; ++offset) {
    plan.delivery.step_offset = offset;
    ExpectOrder(plan);
    for (const Batch& batch : ReadAll(plan)) {
      joined[{batch.epoch(), batch.step()}] = RowsOf(batch);
    }
  }
  plan.delivery.step_stride = 1;
  plan.delivery.step_offset = 0;
  const std::vector<Batch> whole = ReadAll(plan);
  ASSERT_EQ(joined.size(), whole.size());
  for (const Batch& batch : whole) {
    const std::pair<uint64_t, uint64_t> place = {batch.epoch(), batch.step()};
    ASSERT_EQ(joined[place], RowsOf(batch));
  }
}

TEST_P(BatchStreamSuite, CursorReopenedAtAnotherWorldLosesNothing) {
  Plan plan = IndexPlan(48);
  plan.order.seed = 3;
  plan.delivery.tail = Tail::kPartial;
  std::multiset<int64_t> seen;
  Cursor cursor;
  {
    const std::unique_ptr<Stream> stream = Open(plan);
    for (int i = 0; i < 5; ++i) {
      auto batch = stream->Next();
      ASSERT_TRUE(batch.ok() && batch->has_value()) << batch.status();
      for (const Row& row : RowsOf(**batch)) {
        seen.insert(row.index);
      }
      cursor = *(*batch)->cursor();
    }
    EXPECT_EQ(cursor, stream->cursor());
  }
  plan.start = cursor;
  plan.delivery.batch_size = 17;
  plan.delivery.world = 3;
  for (uint32_t rank = 0; rank < 3; ++rank) {
    plan.delivery.rank = rank;
    ExpectOrder(plan);
    for (const Batch& batch : ReadAll(plan)) {
      for (const Row& row : RowsOf(batch)) {
        if (row.valid) {
          seen.insert(row.index);
        }
      }
    }
  }
  ASSERT_EQ(seen.size(), kDrawings);
  EXPECT_EQ(std::set<int64_t>(seen.begin(), seen.end()).size(), kDrawings);
}

TEST_P(BatchStreamSuite, EndGivesTheCursorOfTheNextEpoch) {
  Plan plan = IndexPlan(300);
  const std::unique_ptr<Stream> stream = Open(plan);
  EXPECT_EQ(stream->info().view_size, kDrawings);
  EXPECT_EQ(stream->info().steps_per_epoch, 3);
  EXPECT_EQ(stream->cursor().position, 0);
  for (int i = 0; i < 3; ++i) {
    const auto batch = stream->Next();
    ASSERT_TRUE(batch.ok() && batch->has_value()) << batch.status();
  }
  for (int i = 0; i < 2; ++i) {
    const auto end = stream->Next();
    ASSERT_TRUE(end.ok()) << end.status();
    EXPECT_FALSE(end->has_value());
  }
  EXPECT_EQ(stream->cursor().epoch, 1);
  EXPECT_EQ(stream->cursor().position, 0);

  // Nothing is left of an epoch that is over; the next one follows.
  plan.start = stream->cursor();
  EXPECT_TRUE(ReadAll(plan).empty());
  plan.delivery.epochs = 2;
  EXPECT_EQ(ReadAll(plan).size(), 3);
}

TEST_P(BatchStreamSuite, MaxBatchesEndsAtACursorThatGoesOn) {
  Plan plan = IndexPlan(64);
  plan.delivery.tail = Tail::kPartial;
  plan.delivery.epochs = std::nullopt;
  const std::vector<Expected> whole = [&] {
    Plan twice = plan;
    twice.delivery.epochs = 2;
    return ExpectedOf(twice);
  }();
  plan.delivery.max_batches = 7;
  std::vector<std::vector<Row>> rows;
  for (int i = 0; i < 4; ++i) {
    for (const Batch& batch : ReadAll(plan)) {
      rows.push_back(RowsOf(batch));
      plan.start = batch.cursor();
    }
    ASSERT_EQ(rows.size(), 7 * (i + 1));
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    ASSERT_EQ(rows[i], whole[i].rows) << "batch " << i;
  }
}

TEST_P(BatchStreamSuite, CursorOfAnotherOrderIsRefusedNamingTheField) {
  Plan plan = IndexPlan(64);
  plan.start = ReadAll(plan).front().cursor();
  plan.order.shuffle = ShuffleKind::kNone;
  const auto other_shuffle = Connect()->Stream(plan);
  EXPECT_EQ(other_shuffle.status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(other_shuffle.status().message(),
              ::testing::AllOf(::testing::HasSubstr("shuffle"),
                               ::testing::HasSubstr("full"),
                               ::testing::HasSubstr("none")));
  plan.order = {.seed = 8};
  EXPECT_THAT(Connect()->Stream(plan).status().message(),
              ::testing::HasSubstr("seed was \"0\""));
  plan.order = {};
  plan.view.split = "valid";
  EXPECT_THAT(Connect()->Stream(plan).status().message(),
              ::testing::HasSubstr("split was"));
}

}  // namespace
}  // namespace inkstream::conformance
