// Several generations of one dataset, told apart by their fingerprints.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "server/base/status_reason.h"
#include "server/batch/engine.h"
#include "tests/support/batch_puller.h"
#include "tests/support/fake_store.h"
#include "tests/support/heap_buffer_pool.h"

namespace inkstream::batch {
namespace {

using testing::BatchPuller;
using testing::FakeStore;
using ::testing::HasSubstr;

std::string Fingerprint(char digit) { return std::string(64, digit); }

class GenerationsTest : public ::testing::Test {
 protected:
  GenerationsTest() {
    EngineOptions options;
    options.workers = 1;
    options.batch_memory = 64U << 20U;
    engine_ = *Engine::Create(options);
    EXPECT_TRUE(engine_->AddDataset("fake", Store(100, 'a')).ok());
  }

  static std::shared_ptr<FakeStore> Store(uint64_t drawings, char digit) {
    auto store = std::make_shared<FakeStore>(drawings);
    store->SetFingerprint(Fingerprint(digit));
    return store;
  }

  void Add(uint64_t drawings, char digit) {
    ASSERT_TRUE(engine_->AddGeneration("fake", Store(drawings, digit)).ok());
  }

  absl::StatusOr<std::shared_ptr<BatchStream>> Open(
      const std::string& fingerprint, std::optional<Cursor> start = {}) {
    Plan plan;
    plan.delivery.batch_size = 10;
    plan.fingerprint = fingerprint;
    plan.start = std::move(start);
    return engine_->OpenStream(plan, engine_->Arbitrate(pool_));
  }

  const std::shared_ptr<testing::HeapBufferPool> pool_ =
      std::make_shared<testing::HeapBufferPool>();
  std::unique_ptr<Engine> engine_;
};

TEST_F(GenerationsTest, TheNewestIsServedAndOlderOnesAnswerToTheirNames) {
  Add(200, 'b');
  EXPECT_EQ((*Open(""))->facts().view_size, 200U);
  EXPECT_EQ((*Open(Fingerprint('a')))->facts().view_size, 100U);
  EXPECT_EQ(engine_->Describe("fake", View())->store->size(), 200U);
  EXPECT_EQ(engine_->DescribeGeneration("fake", Fingerprint('a'), View())
                ->store->size(),
            100U);
}

TEST_F(GenerationsTest, ACursorOfAnOlderOneGoesOnWithoutNamingIt) {
  Cursor cursor = (*Open(""))->facts().start;
  cursor.position = 30;
  Add(200, 'b');
  auto resumed = Open("", cursor);
  ASSERT_TRUE(resumed.ok()) << resumed.status();
  EXPECT_EQ((*resumed)->facts().view_size, 100U);
  EXPECT_EQ((*resumed)->facts().start.position, 30U);
}

TEST_F(GenerationsTest, BeyondTheNumberKeptOnlyOpenStreamsGoOn) {
  BatchPuller stream(*Open(""));
  ASSERT_TRUE(std::holds_alternative<FinishedBatch>(stream.Next()));
  Add(200, 'b');
  Add(300, 'c');
  const absl::Status gone = Open(Fingerprint('a')).status();
  EXPECT_EQ(gone.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(gone), kReasonGenerationNotHere);
  for (const char digit : {'a', 'b', 'c'}) {
    EXPECT_THAT(std::string(gone.message()), HasSubstr(Fingerprint(digit)));
  }
  EXPECT_EQ(stream.All().size(), 9U);
}

TEST_F(GenerationsTest, OneThatIsNamedStaysInUseUntilAnotherIsNamed) {
  ASSERT_TRUE(engine_->UseGenerations({{"fake", Fingerprint('a')}}).ok());
  Add(200, 'b');
  Add(300, 'c');
  EXPECT_EQ((*Open(""))->facts().view_size, 100U);
  EXPECT_EQ(engine_->stores().front().store->size(), 100U);
  // Two are kept, of which it is one.
  EXPECT_EQ((*Open(Fingerprint('c')))->facts().view_size, 300U);
  EXPECT_EQ(ReasonOf(Open(Fingerprint('b')).status()),
            kReasonGenerationNotHere);
  ASSERT_TRUE(engine_->UseGenerations({{"fake", Fingerprint('c')}}).ok());
  EXPECT_EQ((*Open(""))->facts().view_size, 300U);
  EXPECT_EQ((*Open(Fingerprint('a')))->facts().view_size, 100U);
}

TEST_F(GenerationsTest, WhereNoneIsNamedAnyMoreTheNewestIsInUse) {
  ASSERT_TRUE(engine_->UseGenerations({{"fake", Fingerprint('a')}}).ok());
  Add(200, 'b');
  ASSERT_TRUE(engine_->UseGenerations({}).ok());
  EXPECT_EQ((*Open(""))->facts().view_size, 200U);
  Add(300, 'c');
  EXPECT_EQ((*Open(""))->facts().view_size, 300U);
}

TEST_F(GenerationsTest, OneThatIsNotServedChangesNothing) {
  ASSERT_TRUE(engine_->AddDataset("other", Store(1, 'x')).ok());
  Add(200, 'b');
  const absl::Status refused = engine_->UseGenerations(
      {{"fake", Fingerprint('a')}, {"other", Fingerprint('y')}});
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(refused.message()),
              ::testing::AllOf(HasSubstr("other"), HasSubstr(Fingerprint('y')),
                               HasSubstr(Fingerprint('x'))));
  EXPECT_EQ(engine_->Describe("fake", View())->store->size(), 200U);
  const absl::Status unknown =
      engine_->UseGenerations({{"fakes", Fingerprint('a')}});
  EXPECT_EQ(unknown.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(unknown.message()), HasSubstr("\"fake\""));
}

TEST_F(GenerationsTest, TheSameContentAgainTakesTheOldPlace) {
  Add(200, 'b');
  Add(100, 'a');
  EXPECT_EQ((*Open(""))->facts().view_size, 100U);
  EXPECT_EQ((*Open(Fingerprint('b')))->facts().view_size, 200U);
  EXPECT_EQ(engine_->AddGeneration("other", Store(1, 'c')).code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace inkstream::batch
