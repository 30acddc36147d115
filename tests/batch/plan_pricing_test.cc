// Plans that must be refused before anything is allocated, and in which words.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/base/status_reason.h"
#include "server/batch/engine.h"
#include "tests/support/fake_store.h"
#include "tests/support/heap_buffer_pool.h"

namespace inkstream::batch {
namespace {

using ::testing::HasSubstr;

std::unique_ptr<Engine> MakeEngine(EngineOptions options = {}) {
  if (options.batch_memory == 0) options.batch_memory = 64U << 20U;
  options.workers = 1;
  std::unique_ptr<Engine> engine = *Engine::Create(options);
  EXPECT_TRUE(
      engine->AddDataset("fake", std::make_shared<testing::FakeStore>(1000))
          .ok());
  return engine;
}

Plan GoodPlan() {
  Plan plan;
  plan.delivery.batch_size = 10;
  plan.delivery.image = ImageSpec{};
  return plan;
}

struct BadPlan {
  const char* name;
  std::function<void(Plan*)> spoil;
  absl::StatusCode code;
  const char* text;
};

void PrintTo(const BadPlan& plan, std::ostream* out) { *out << plan.name; }

class BadPlanTest : public ::testing::TestWithParam<BadPlan> {};

TEST_P(BadPlanTest, IsRefusedWithFieldValueAndLimit) {
  const std::unique_ptr<Engine> engine = MakeEngine();
  const auto pool = std::make_shared<testing::HeapBufferPool>();
  Plan plan = GoodPlan();
  GetParam().spoil(&plan);
  const absl::Status status =
      engine->OpenStream(plan, engine->Arbitrate(pool)).status();
  EXPECT_EQ(status.code(), GetParam().code) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().text));
  EXPECT_EQ(pool->most_in_use(), 0U);
  EXPECT_EQ(engine->open_streams(), 0U);
}

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

const BadPlan kBadPlans[] = {
    {"dataset", [](Plan* p) { p->dataset = "fak"; },
     absl::StatusCode::kNotFound,
     "dataset: there is no \"fak\"; the nearest is \"fake\""},
    {"split", [](Plan* p) { p->view.split = "tran"; },
     absl::StatusCode::kNotFound, "the nearest is \"train\""},
    {"no_rows", [](Plan* p) { p->delivery.batch_size = 0; }, kInvalid,
     "delivery.batch_size: 0 is not in 1..65536"},
    {"many_rows", [](Plan* p) { p->delivery.batch_size = 65537; }, kInvalid,
     "delivery.batch_size: 65537 is not in 1..65536"},
    {"no_height", [](Plan* p) { p->delivery.image->height = 0; }, kInvalid,
     "delivery.image.height: 0 is not in 1..1024"},
    {"wide", [](Plan* p) { p->delivery.image->width = 1025; }, kInvalid,
     "delivery.image.width: 1025 is not in 1..1024"},
    {"huge",
     [](Plan* p) {
       p->delivery.image->height = p->delivery.image->width = 4'000'000'000U;
     },
     kInvalid, "delivery.image.height: 4000000000 is not in 1..1024"},
    {"bytes",
     [](Plan* p) {
       p->delivery.image->height = p->delivery.image->width = 1024;
       p->delivery.batch_size = 257;
     },
     kInvalid, "larger than 268435456 bytes (max_batch_bytes)"},
    {"budget",
     [](Plan* p) {
       p->delivery.image->height = p->delivery.image->width = 1024;
       p->delivery.batch_size = 128;
     },
     kInvalid, "this server keeps 67108864 bytes for all batches together"},
    {"channels",
     [](Plan* p) { p->delivery.image->channels.assign(1'000'000, "ink"); },
     kInvalid, "max_batch_bytes"},
    {"column",
     [](Plan* p) {
       p->delivery.columns = {"label", "contrycode"};
     },
     kInvalid,
     "delivery.columns[1]: there is no column \"contrycode\"; the nearest is "
     "\"countrycode\""},
    {"column_twice",
     [](Plan* p) {
       p->delivery.columns = {"word", "word"};
     },
     kInvalid, "delivery.columns[1]: \"word\" is named twice"},
    {"world", [](Plan* p) { p->delivery.world = 65537; }, kInvalid,
     "delivery.world: 65537 is not in 1..65536"},
    {"no_world", [](Plan* p) { p->delivery.world = 0; }, kInvalid,
     "delivery.world: 0 is not in 1..65536"},
    {"rank",
     [](Plan* p) {
       p->delivery.rank = 2;
       p->delivery.world = 2;
     },
     kInvalid, "delivery.rank: 2 is not below delivery.world, 2"},
    {"epochs", [](Plan* p) { p->delivery.epochs = 0; }, kInvalid,
     "delivery.epochs: 0"},
    {"stride", [](Plan* p) { p->delivery.step_stride = 0; }, kInvalid,
     "stride"},
    {"window", [](Plan* p) { p->order.shuffle = ShuffleKind::kWindow; },
     kInvalid, "order.window = 0"},
    {"too_few",
     [](Plan* p) {
       p->delivery.image.reset();
       p->delivery.batch_size = 1001;
     },
     kInvalid, "1000 drawings"},
    {"cursor_version",
     [](Plan* p) {
       p->start = Cursor{};
       p->start->version = 9;
     },
     kInvalid, "version"},
    {"cursor_plan",
     [](Plan* p) {
       p->start = Cursor{};
       p->start->fingerprint = std::string(64, 'f');
       p->start->plan_hash = std::string(32, '0');
     },
     absl::StatusCode::kFailedPrecondition, "plan"},
};

INSTANTIATE_TEST_SUITE_P(All, BadPlanTest, ::testing::ValuesIn(kBadPlans),
                         [](const auto& info) { return info.param.name; });

TEST(PlanPricingTest, AnotherFingerprintIsForAnotherReplica) {
  const std::unique_ptr<Engine> engine = MakeEngine();
  const auto pool = std::make_shared<testing::HeapBufferPool>();
  Plan plan = GoodPlan();
  plan.fingerprint = std::string(64, '0');
  const absl::Status status =
      engine->OpenStream(plan, engine->Arbitrate(pool)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(status), "GENERATION_NOT_HERE");
  EXPECT_THAT(std::string(status.message()), HasSubstr(std::string(64, 'f')));
  EXPECT_THAT(std::string(status.message()), HasSubstr(std::string(64, '0')));
}

TEST(PlanPricingTest, OneStreamTooManyIsToldWhenToComeBack) {
  EngineOptions options;
  options.limits.max_streams = 1;
  const std::unique_ptr<Engine> engine = MakeEngine(options);
  const auto pool = std::make_shared<testing::HeapBufferPool>();
  absl::StatusOr<std::shared_ptr<BatchStream>> first =
      engine->OpenStream(GoodPlan(), engine->Arbitrate(pool));
  ASSERT_TRUE(first.ok()) << first.status();
  const absl::Status status =
      engine->OpenStream(GoodPlan(), engine->Arbitrate(pool)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(RetryDelayOf(status).has_value());
  first->reset();
  EXPECT_TRUE(engine->OpenStream(GoodPlan(), engine->Arbitrate(pool)).ok());
}

TEST(PlanPricingTest, NamesOfDatasetsAreCheckedAndUnique) {
  const std::unique_ptr<Engine> engine = MakeEngine();
  const auto store = std::make_shared<testing::FakeStore>(10);
  EXPECT_EQ(engine->AddDataset("fake", store).code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(engine->AddDataset("a b", store).code(), kInvalid);
  EXPECT_EQ(engine->AddDataset("", store).code(), kInvalid);
}

// What is listed would be as long as an epoch otherwise.
TEST(ExplainPlanTest, AStepOfAllRanksIsListedAsFarAsABatchMayGo) {
  EngineOptions options;
  options.limits.max_batch_size = 100;
  const std::unique_ptr<Engine> engine = MakeEngine(options);
  Plan plan = GoodPlan();
  plan.delivery.world = 10;
  const auto whole = engine->Explain(plan, {0, 0, 5, /*all_ranks=*/true});
  ASSERT_TRUE(whole.ok()) << whole.status();
  ASSERT_EQ(whole->steps.size(), 1U);
  EXPECT_EQ(whole->steps[0].indices.size(), 100U);
  plan.delivery.tail = Tail::kPartial;
  for (const uint32_t world : {11, 200}) {
    plan.delivery.world = world;
    const absl::Status status =
        engine->Explain(plan, {0, 0, 5, /*all_ranks=*/true}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << world;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("at most 100 drawings are listed"));
  }
  // Rank by rank they can be had, and counts without them.
  plan.delivery.world = 11;
  EXPECT_TRUE(engine->Explain(plan, {0, 0, 5, false}).ok());
  EXPECT_TRUE(engine->Explain(plan, {0, 0, 0, true}).ok());
}

}  // namespace
}  // namespace inkstream::batch
