#include "server/batch/view/resolved_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "server/base/status_reason.h"
#include "server/batch/view/class_index.h"
#include "server/batch/view/rank_select.h"
#include "server/batch/view/view_cache.h"
#include "tests/support/fake_store.h"

namespace inkstream::batch {
namespace {

using ::testing::HasSubstr;

ViewInputs Threads(int threads) {
  ViewInputs inputs;
  inputs.threads = threads;
  return inputs;
}

View Split(const std::string& name) { return View{name, {}}; }

std::vector<uint64_t> Members(const ResolvedView& view) {
  std::vector<uint64_t> members;
  for (uint64_t rank = 0; rank < view.size(); ++rank) {
    members.push_back(view.IndexOf(rank));
  }
  return members;
}

TEST(ResolvedViewTest, SplitsShareTheDrawingsOutInIndexOrder) {
  const auto store = std::make_shared<testing::FakeStore>(1000);
  const auto train = *ResolvedView::Create(*store, Split("train"), Threads(2));
  const auto valid = *ResolvedView::Create(*store, Split("valid"), Threads(2));
  EXPECT_EQ(train->size(), store->info().splits[0].drawings);
  EXPECT_EQ(train->size() + valid->size(), 1000U);
  std::vector<uint64_t> all = Members(*train);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  for (const uint64_t index : Members(*valid)) all.push_back(index);
  std::sort(all.begin(), all.end());
  for (uint64_t i = 0; i < 1000; ++i) ASSERT_EQ(all[i], i);
}

TEST(ResolvedViewTest, ClassesAreNumberedInTheOrderGiven) {
  const auto store = std::make_shared<testing::FakeStore>(100, 3);
  const auto view =
      *ResolvedView::Create(*store, View{"", {"class2", "class0"}}, Threads(1));
  EXPECT_EQ(view->size(), 50U);
  for (const uint64_t index : Members(*view)) {
    const int32_t label = store->Label(index);
    ASSERT_TRUE(label == 0 || label == 2) << index;
    EXPECT_EQ(view->LabelOf(label), label == 2 ? 0 : 1);
  }
  EXPECT_EQ(view->LabelOf(1), -1);
  EXPECT_EQ(view->LabelOf(-1), -1);
  EXPECT_THAT(view->class_counts(), ::testing::ElementsAre(25, 25));
}

TEST(ResolvedViewTest, TheScanIsTheSameForAnyNumberOfThreads) {
  const auto store = std::make_shared<testing::FakeStore>(4'000'100);
  const auto one = *ResolvedView::Create(*store, Split("valid"), Threads(1));
  const auto four = *ResolvedView::Create(*store, Split("valid"), Threads(4));
  ASSERT_EQ(one->size(), four->size());
  for (uint64_t rank = 0; rank < one->size(); rank += 997) {
    ASSERT_EQ(one->IndexOf(rank), four->IndexOf(rank));
  }
  EXPECT_EQ(one->class_counts(), four->class_counts());
}

TEST(ResolvedViewTest, ACapIsTheSameForAnyNumberOfThreads) {
  const auto store = std::make_shared<testing::FakeStore>(2'000'033, 40);
  View view = Split("train");
  view.max_per_class = 9'001;
  const auto one = *ResolvedView::Create(*store, view, Threads(1));
  const auto four = *ResolvedView::Create(*store, view, Threads(4));
  ASSERT_EQ(one->size(), 41U * 9'001U);  // and those without a word
  ASSERT_EQ(one->size(), four->size());
  for (uint64_t rank = 0; rank < one->size(); rank += 97) {
    ASSERT_EQ(one->IndexOf(rank), four->IndexOf(rank));
  }
}

TEST(ResolvedViewTest, WithinIsWhatBothHaveWhicheverIsEverything) {
  const auto store = std::make_shared<testing::FakeStore>(1'001);
  View odd;
  odd.where = {{"recognized", WhereOp::kEq, {"1"}}};
  for (const View& outer : {View{}, Split("train"), odd}) {
    for (const View& inner : {View{}, Split("valid"), odd}) {
      const auto large = *ResolvedView::Create(*store, outer, Threads(1));
      const auto small = *ResolvedView::Create(*store, inner, Threads(1));
      const auto both = ResolvedView::Within(*store, *large, *small);
      uint64_t members = 0;
      for (uint64_t i = 0; i < store->size(); ++i) {
        const bool in = large->Contains(i) && small->Contains(i);
        ASSERT_EQ(both->Contains(i), in) << i;
        if (in) {
          ASSERT_EQ(both->IndexOf(members++), i);
        }
      }
      EXPECT_EQ(both->size(), members);
    }
  }
}

TEST(ClassIndexTest, FindsTheDrawingsOfEachClassForAnyNumberOfThreads) {
  const auto store = std::make_shared<testing::FakeStore>(1'100'007, 5);
  View view = Split("train");
  for (const std::vector<std::string>& classes :
       {std::vector<std::string>{},
        std::vector<std::string>{"class4", "class0", "class2"}}) {
    view.classes = classes;
    const auto resolved = *ResolvedView::Create(*store, view, Threads(1));
    std::vector<std::vector<uint64_t>> wanted(resolved->classes().size());
    for (uint64_t i = 0; i < store->size(); ++i) {
      const int32_t label = resolved->LabelOf(store->Label(i));
      if (label >= 0 && resolved->Contains(i)) wanted[label].push_back(i);
    }
    for (const int threads : {1, 3, 64}) {
      const ClassIndex index(*store, *resolved, threads);
      for (size_t label = 0; label < wanted.size(); ++label) {
        for (size_t rank = 0; rank < wanted[label].size(); rank += 13) {
          ASSERT_EQ(index.IndexOf(label, rank), wanted[label][rank])
              << threads << " threads, class " << label << ", rank " << rank;
        }
      }
    }
  }
}

TEST(ResolvedViewTest, UnknownNamesNameTheNearest) {
  const auto store = std::make_shared<testing::FakeStore>(10);
  const auto split =
      ResolvedView::Create(*store, Split("trian"), Threads(1)).status();
  EXPECT_EQ(split.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(split.message()),
              HasSubstr("view.split: there is no split \"trian\"; the nearest "
                        "is \"train\""));
  const auto word =
      ResolvedView::Create(*store, View{"", {"class1", "clas2"}}, Threads(1))
          .status();
  EXPECT_THAT(std::string(word.message()),
              HasSubstr("view.classes[1]: there is no class \"clas2\"; the "
                        "nearest is \"class2\""));
  const auto twice =
      ResolvedView::Create(*store, View{"", {"class1", "class1"}}, Threads(1))
          .status();
  EXPECT_EQ(twice.code(), absl::StatusCode::kInvalidArgument);
}

TEST(ViewCacheTest, OneViewIsResolvedOnceAndForgottenOverTheBudget) {
  const auto store = std::make_shared<testing::FakeStore>(10'000);
  ViewCache roomy(1U << 20U, 1);
  const auto first = *roomy.Get(*store, Split("train"));
  EXPECT_EQ(first.get(), roomy.Get(*store, Split("train"))->get());
  EXPECT_GE(roomy.bytes(), first->bytes());
}

TEST(ViewCacheTest, WhatNobodyUsesMakesRoomAndWhatIsInUseIsNotExceeded) {
  const auto store = std::make_shared<testing::FakeStore>(100'000);
  const size_t one = RankSelect::BytesOf(100'000) + 1000;
  ViewCache tight(one + one / 2, 1);
  auto train = *tight.Get(*store, Split("train"));
  const absl::Status refused = tight.Get(*store, Split("valid")).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(refused), kReasonViewMemory);
  EXPECT_TRUE(RetryDelayOf(refused).has_value());
  // The one in use is shared even though the budget would not keep it.
  EXPECT_EQ(train.get(), tight.Get(*store, Split("train"))->get());
  train.reset();
  EXPECT_TRUE(tight.Get(*store, Split("valid")).ok());
  EXPECT_LE(tight.bytes(), one + one / 2);
}

}  // namespace
}  // namespace inkstream::batch
