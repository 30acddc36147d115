// What an engine answers when a store turns out to be damaged or cut off while
// it is served.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/base/status_reason.h"
#include "server/batch/engine.h"
#include "server/batch/view/class_index.h"
#include "server/batch/view/view_cache.h"
#include "server/store/format.h"
#include "tests/store/sample_drawings.h"
#include "tests/support/batch_puller.h"
#include "tests/support/fake_store.h"
#include "tests/support/heap_buffer_pool.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::batch {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

constexpr uint32_t kBatch = 1024;

class LostStoreTest : public ::testing::Test {
 protected:
  LostStoreTest() {
    EngineOptions options;
    options.workers = 2;
    options.batch_memory = 64U << 20U;
    engine_ = *Engine::Create(options);
    store::MustWrite(path_, store::SampleDrawings(store::kColumnRun + 5000));
  }

  // The second run of columns, which begins behind the first one's drawings.
  void DamageColumns() const {
    const std::string bytes = testing::ReadWholeFile(segment_);
    size_t at = 16;
    const std::string first("\x00\x40\x00\x00", 4);
    while (bytes[at] != 'C' || bytes.substr(at + 8, 4) != first) {
      at += store::kPageBytes;
      ASSERT_LT(at, bytes.size());
    }
    const int file = open(segment_.c_str(), O_RDWR);
    ASSERT_EQ(pwrite(file, "????????", 8, static_cast<off_t>(at + 600)), 8);
    close(file);
  }

  void Serve() {
    ASSERT_TRUE(engine_->AddDataset("quickdraw", store::MustOpen(path_)).ok());
  }

  // How many batches come before the end, which is answered.
  absl::Status Read(const Plan& plan, size_t* batches) {
    auto opened = engine_->OpenStream(plan, engine_->Arbitrate(pool_));
    if (!opened.ok()) return opened.status();
    testing::BatchPuller stream(*std::move(opened));
    TakeResult last;
    *batches = stream.All(&last).size();
    const auto* const failed = std::get_if<absl::Status>(&last);
    return failed == nullptr ? absl::OkStatus() : *failed;
  }

  absl::Status Fetch(const FetchPlan& plan) {
    std::promise<absl::Status> answer;
    engine_->Fetch(plan, engine_->Arbitrate(pool_), {},
                   [&](absl::StatusOr<FetchedBatch> batch) {
                     answer.set_value(batch.status());
                   });
    return answer.get_future().get();
  }

  void ExpectLost(const absl::Status& status, const std::string& what) const {
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    EXPECT_EQ(ReasonOf(status), kReasonStoreLost);
    EXPECT_THAT(
        std::string(status.message()),
        AllOf(HasSubstr(segment_), HasSubstr(what), HasSubstr("replica")));
  }

  const testing::ScratchDirectory scratch_;
  const std::string path_ = scratch_.File("s.ink");
  const std::string segment_ = path_ + "/segment-000000.mdb";
  const std::shared_ptr<testing::HeapBufferPool> pool_ =
      std::make_shared<testing::HeapBufferPool>();
  std::unique_ptr<Engine> engine_;
};

TEST_F(LostStoreTest, AStreamEndsWhereItMeetsDamagedColumns) {
  DamageColumns();
  Serve();
  Plan plan;
  plan.delivery.batch_size = kBatch;
  plan.delivery.columns = {"label"};
  plan.order.shuffle = ShuffleKind::kNone;
  // Columns make views and orders: nothing of them is a drawing to be skipped.
  plan.delivery.on_corrupt = OnCorrupt::kSkip;
  size_t batches = 0;
  ExpectLost(Read(plan, &batches), "columns at 16384: the checksum");
  EXPECT_LE(batches, store::kColumnRun / kBatch);
  // From then on nothing is begun.
  ExpectLost(Read(plan, &batches), "columns at 16384");
  ExpectLost(engine_->Describe("quickdraw", View()).status(), "columns");
}

TEST_F(LostStoreTest, AViewOfDamagedColumnsIsNotMade) {
  DamageColumns();
  Serve();
  View view;
  view.where = {{"key_id", WhereOp::kGt, {"5"}}};
  ExpectLost(engine_->Describe("quickdraw", view).status(), "columns at 16384");
}

TEST_F(LostStoreTest, FetchesAndInspectionsAreToldToo) {
  DamageColumns();
  Serve();
  FetchPlan plan;
  plan.indices = {1, store::kColumnRun + 1};
  plan.delivery.columns = {"key_id"};
  ExpectLost(Fetch(plan), "columns at 16384");
  const std::string other = scratch_.File("other.ink");
  fs::copy(path_, other);
  ASSERT_TRUE(engine_->AddDataset("other", store::MustOpen(other)).ok());
  EXPECT_TRUE(engine_->Inspect("other", 1, 0).ok());
  const absl::Status inspected =
      engine_->Inspect("other", store::kColumnRun + 1, 0).status();
  EXPECT_EQ(ReasonOf(inspected), kReasonStoreLost) << inspected;
}

TEST_F(LostStoreTest, AFileThatWasCutEndsTheStreamAndNotTheOthers) {
  Serve();
  const std::string other = scratch_.File("other.ink");
  fs::copy(path_, other);
  ASSERT_TRUE(engine_->AddDataset("other", store::MustOpen(other)).ok());
  fs::resize_file(segment_, 8192);
  Plan plan;
  plan.delivery.batch_size = kBatch;
  plan.delivery.image = ImageSpec{28, 28};
  plan.delivery.on_corrupt = OnCorrupt::kSkip;
  plan.dataset = "quickdraw";
  size_t batches = 0;
  ExpectLost(Read(plan, &batches), "has 8192 now");
  EXPECT_EQ(batches, 0);
  plan.dataset = "other";
  EXPECT_TRUE(Read(plan, &batches).ok());
  EXPECT_GT(batches, 10);
}

// Says other labels when it is read the second time.
class FickleStore : public testing::FakeStore {
 public:
  using FakeStore::FakeStore;
  void ReadColumn(store::StoreColumn, uint64_t,
                  absl::Span<int64_t> out) const override {
    std::fill(out.begin(), out.end(), 0);
  }
};

TEST(ClassIndexTest, MoreOfAClassThanWereCountedDoNotOverrunItsList) {
  const FickleStore store(40'000, 20);
  ViewCache cache(64U << 20U, 1);
  const auto view = cache.Get(store, View());
  ASSERT_TRUE(view.ok()) << view.status();
  const uint64_t counted = (*view)->class_counts()[0];
  ASSERT_LT(counted, 3000);
  const ClassIndex index(store, **view, 1);
  EXPECT_EQ(index.IndexOf(0, 0), 0);
  EXPECT_EQ(index.IndexOf(0, counted - 1), counted - 1);
}

TEST(ClassIndexTest, FewerOfAClassThanWereCountedAreDrawingsAllTheSame) {
  const FickleStore store(40'000, 20);
  ViewCache cache(64U << 20U, 1);
  const auto view = cache.Get(store, View());
  ASSERT_TRUE(view.ok()) << view.status();
  const ClassIndex index(store, **view, 1);
  for (size_t label = 1; label < 20; ++label) {
    const uint64_t counted = (*view)->class_counts()[label];
    EXPECT_LT(index.IndexOf(label, 0), store.size()) << label;
    EXPECT_LT(index.IndexOf(label, counted - 1), store.size()) << label;
  }
}

}  // namespace
}  // namespace inkstream::batch
