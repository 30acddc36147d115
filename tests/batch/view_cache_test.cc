#include "server/batch/view/view_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/base/status_reason.h"
#include "server/batch/work/parked_request.h"
#include "server/batch/work/request_threads.h"
#include "tests/support/fake_store.h"

namespace inkstream::batch {
namespace {

constexpr uint64_t kDrawings = 80'000;  // 10 KB a view, and an eighth of that
constexpr size_t kBudget = 100'000;

// Scans wait at the gate, once it is shut.
class GatedStore : public testing::FakeStore {
 public:
  using FakeStore::FakeStore;

  void ReadColumn(store::StoreColumn column, uint64_t first,
                  absl::Span<int64_t> out) const override {
    if (column == store::StoreColumn::kKeyId && first == 0) ++reads_;
    if (shut_) opened_.wait();
    FakeStore::ReadColumn(column, first, out);
  }

  void Shut() { shut_ = true; }
  void Open() { open_.set_value(); }
  // Of the first keys.
  int reads() const { return reads_; }

 private:
  std::promise<void> open_;
  const std::shared_future<void> opened_{open_.get_future()};
  std::atomic<bool> shut_{false};
  mutable std::atomic<int> reads_{0};
};

class SharedViewsTest : public ::testing::Test {
 protected:
  // A view of its own for every number.
  static View NumberedView(uint64_t number) {
    View view;
    view.where = {{"key_id", WhereOp::kGe, {absl::StrCat(1000 + number)}}};
    return view;
  }

  const std::shared_ptr<GatedStore> store_ =
      std::make_shared<GatedStore>(kDrawings);
  ViewCache cache_{kBudget, 1};
};

TEST_F(SharedViewsTest, OneViewIsResolvedOnceAndShared) {
  const auto one = cache_.Get(*store_, NumberedView(5));
  ASSERT_TRUE(one.ok()) << one.status();
  const size_t bytes = cache_.bytes();
  EXPECT_EQ(*cache_.Get(*store_, NumberedView(5)), *one);
  EXPECT_EQ(cache_.bytes(), bytes);
  EXPECT_NE(*cache_.Get(*store_, NumberedView(6)), *one);
}

TEST_F(SharedViewsTest, WhatIsThereAndWhatIsNotIsCounted) {
  for (const uint64_t number : {1, 2, 1, 1}) {
    ASSERT_TRUE(cache_.Get(*store_, NumberedView(number)).ok());
  }
  EXPECT_EQ(cache_.lookups().misses, 2U);
  EXPECT_EQ(cache_.lookups().hits, 2U);
  View view;
  view.include_keys = std::string(32, 'a');
  EXPECT_FALSE(cache_.Get(*store_, view).ok());
  EXPECT_EQ(cache_.key_sets().lookups().misses, 1U);
  auto upload = cache_.key_sets().NewUpload();
  ASSERT_TRUE(upload->Add({1001, 1002}).ok());
  const auto kept = cache_.key_sets().Keep(std::move(upload));
  ASSERT_TRUE(kept.ok()) << kept.status();
  view.include_keys = kept->hash;
  EXPECT_TRUE(cache_.Get(*store_, view).ok());
  EXPECT_EQ(cache_.key_sets().lookups().hits, 1U);
}

TEST_F(SharedViewsTest, TheLeastRecentlyUsedGoFirst) {
  const ResolvedView* const first = cache_.Get(*store_, NumberedView(0))->get();
  for (uint64_t i = 1; i < 50; ++i) {
    ASSERT_TRUE(cache_.Get(*store_, NumberedView(i)).ok());
    EXPECT_LE(cache_.bytes(), kBudget);
    // Used again and again, it stays.
    EXPECT_EQ(cache_.Get(*store_, NumberedView(0))->get(), first) << i;
  }
}

TEST_F(SharedViewsTest, WhatIsInUseStaysAndNeverExceedsTheBudget) {
  std::vector<std::shared_ptr<const ResolvedView>> used;
  absl::Status status;
  for (uint64_t i = 0; status.ok(); ++i) {
    auto view = cache_.Get(*store_, NumberedView(i));
    status = view.status();
    if (view.ok()) used.push_back(*std::move(view));
    ASSERT_LT(used.size(), 20U);
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(status), kReasonViewMemory);
  EXPECT_LE(cache_.bytes(), kBudget);
  EXPECT_EQ(cache_.Get(*store_, NumberedView(0))->get(), used[0].get());
  used.pop_back();
  EXPECT_TRUE(cache_.Get(*store_, NumberedView(100)).ok());
}

// Asks as a request of its caller.
class Asking : public ParkedRequest {
 public:
  explicit Asking(std::string caller) : caller_(std::move(caller)) {}
  void Resume() override {}
  const std::string& caller() const override { return caller_; }

 private:
  const std::string caller_;
};

TEST_F(SharedViewsTest, OneCallerLeavesAnEighthToOthers) {
  const auto get = [&](const std::string& caller, uint64_t number) {
    const RunningRequest running(std::make_shared<Asking>(caller));
    return cache_.Get(*store_, NumberedView(number));
  };
  std::vector<std::shared_ptr<const ResolvedView>> used;
  absl::Status status;
  for (uint64_t i = 0; status.ok(); ++i) {
    auto view = get("busy", i);
    status = view.status();
    if (view.ok()) used.push_back(*std::move(view));
    ASSERT_LT(used.size(), 20U);
  }
  EXPECT_EQ(ReasonOf(status), kReasonViewMemory);
  EXPECT_NE(status.message().find("busy"), std::string::npos) << status;
  EXPECT_LE(used.size() * used[0]->bytes(), kBudget / 8 * 7);
  auto other = get("newcomer", 100);
  EXPECT_TRUE(other.ok()) << other.status();
  // What others keep is no way around it; what the caller has costs nothing.
  EXPECT_FALSE(get("busy", 100).ok());
  const auto again = get("busy", 0);
  EXPECT_EQ(again->get(), used[0].get());
  // What it uses counts once, until it uses it no more.
  used.pop_back();
  other = absl::CancelledError();
  EXPECT_TRUE(get("busy", 100).ok());
  EXPECT_TRUE(get("busy", 101).ok());
}

TEST_F(SharedViewsTest, ARequestThatMeetsAnothersScanHoldsNoThread) {
  ASSERT_TRUE(cache_.Get(*store_, NumberedView(2)).ok());
  const int reads_of_a_scan = store_->reads();
  store_->Shut();
  RequestThreads threads(1000);
  std::atomic<int> parked{0};
  std::atomic<int> resolved{0};
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(threads
                    .Run("", 0,
                         [&](WorkerScratch*) {
                           const auto view =
                               cache_.Get(*store_, NumberedView(1));
                           if (IsParked(view.status())) {
                             ++parked;
                           } else {
                             EXPECT_TRUE(view.ok()) << view.status();
                             ++resolved;
                           }
                         })
                    .ok());
  }
  // With two threads, of which one scans: another request is answered.
  std::promise<void> answered;
  ASSERT_TRUE(
      threads.Run("", 0, [&](WorkerScratch*) { answered.set_value(); }).ok());
  answered.get_future().wait();
  EXPECT_EQ(resolved, 0);
  EXPECT_EQ(parked, 5);
  store_->Open();
  while (resolved < 6) std::this_thread::yield();
  EXPECT_EQ(store_->reads(), 2 * reads_of_a_scan) << "one scan for all of them";
}

}  // namespace
}  // namespace inkstream::batch
