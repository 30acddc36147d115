// What each term of a view selects, against slow clear versions.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "server/base/status_reason.h"
#include "server/batch/view/view_cache.h"
#include "server/order/sample_hash.h"
#include "tests/support/fake_store.h"

namespace inkstream::batch {
namespace {

using testing::FakeStore;
using ::testing::HasSubstr;

constexpr uint64_t kDrawings = 20'011;
constexpr uint64_t kQuarter = ~uint64_t{0} / 4;

absl::StatusOr<std::shared_ptr<const KeySet>> Keep(
    KeySetCache* cache, const std::vector<int64_t>& keys) {
  std::unique_ptr<KeyUpload> upload = cache->NewUpload();
  const absl::Status added = upload->Add(keys);
  if (!added.ok()) return added;
  const absl::StatusOr<KeptKeys> kept = cache->Keep(std::move(upload));
  if (!kept.ok()) return kept.status();
  return cache->Get("view.include_keys", kept->hash);
}

class ViewTermsTest : public ::testing::Test {
 protected:
  std::vector<uint64_t> Members(const View& view) {
    const auto resolved = cache_.Get(*store_, view);
    EXPECT_TRUE(resolved.ok()) << resolved.status();
    std::vector<uint64_t> members;
    if (!resolved.ok()) return members;
    for (uint64_t rank = 0; rank < (*resolved)->size(); ++rank) {
      members.push_back((*resolved)->IndexOf(rank));
    }
    return members;
  }

  std::vector<uint64_t> Wanted(const std::function<bool(uint64_t)>& in) {
    std::vector<uint64_t> members;
    for (uint64_t i = 0; i < kDrawings; ++i) {
      if (in(i)) members.push_back(i);
    }
    return members;
  }

  static View Where(std::vector<WhereTerm> terms) {
    View view;
    view.where = std::move(terms);
    return view;
  }

  std::string ErrorOf(const View& view, absl::StatusCode code) {
    const absl::Status status = cache_.Get(*store_, view).status();
    EXPECT_EQ(status.code(), code) << status;
    return std::string(status.message());
  }

  const std::shared_ptr<FakeStore> store_ =
      std::make_shared<FakeStore>(kDrawings);
  ViewCache cache_{8U << 20U, 2};
};

TEST_F(ViewTermsTest, EveryOperatorSelectsWhatItSays) {
  const auto value = [&](uint64_t i) { return store_->KeyId(i); };
  const std::vector<std::pair<WhereOp, std::function<bool(int64_t)>>> ops = {
      {WhereOp::kEq, [](int64_t v) { return v == 5000; }},
      {WhereOp::kNe, [](int64_t v) { return v != 5000; }},
      {WhereOp::kLt, [](int64_t v) { return v < 5000; }},
      {WhereOp::kLe, [](int64_t v) { return v <= 5000; }},
      {WhereOp::kGt, [](int64_t v) { return v > 5000; }},
      {WhereOp::kGe, [](int64_t v) { return v >= 5000; }}};
  for (const auto& [op, holds] : ops) {
    EXPECT_EQ(
        Members(Where({{"key_id", op, {"5000"}}})),
        Wanted([&](uint64_t i) { return value(i) > 0 && holds(value(i)); }))
        << static_cast<int>(op);
  }
  const std::set<int64_t> some = {1001, 7000, 7001};
  EXPECT_EQ(
      Members(Where({{"key_id", WhereOp::kIn, {"7000", "1001", "7001"}}})),
      Wanted([&](uint64_t i) { return some.contains(value(i)); }));
  EXPECT_EQ(
      Members(Where({{"key_id", WhereOp::kNotIn, {"7000", "1001", "7001"}}})),
      Wanted([&](uint64_t i) {
        return value(i) > 0 && !some.contains(value(i));
      }));
}

TEST_F(ViewTermsTest, ColumnsAreComparedAsWhatTheyAre) {
  EXPECT_EQ(Members(Where({{"recognized", WhereOp::kEq, {"true"}}})),
            Wanted([&](uint64_t i) { return store_->Recognized(i) == 1; }));
  EXPECT_EQ(Members(Where({{"recognized", WhereOp::kNe, {"1"}}})),
            Wanted([&](uint64_t i) { return store_->Recognized(i) == 0; }));
  EXPECT_EQ(Members(Where({{"countrycode", WhereOp::kIn, {"JP", "DE"}}})),
            Wanted([&](uint64_t i) {
              return store_->Countrycode(i) == 0 || store_->Countrycode(i) == 2;
            }));
  EXPECT_EQ(Members(Where({{"word", WhereOp::kNe, {"class1"}}})),
            Wanted([&](uint64_t i) {
              return store_->Label(i) >= 0 && store_->Label(i) != 1;
            }));
  EXPECT_EQ(Members(Where({{"label", WhereOp::kGe, {"1"}}})),
            Wanted([&](uint64_t i) { return store_->Label(i) >= 1; }));
  EXPECT_EQ(Members(Where({{"index", WhereOp::kLt, {"70"}}})),
            Wanted([](uint64_t i) { return i < 70; }));
  const int64_t noon = 1'489'000'000'010'000;
  for (const std::string& text :
       {std::string("1489000000010000"),
        std::string("2017-03-08 19:06:40.010000 UTC"),
        std::string("2017-03-08T20:06:40.01+01:00")}) {
    EXPECT_EQ(Members(Where({{"timestamp", WhereOp::kLt, {text}}})),
              Wanted([&](uint64_t i) {
                return i % 5 != 4 && store_->TimestampMicros(i) < noon;
              }))
        << text;
  }
}

TEST_F(ViewTermsTest, SizesAreCountedAndDamagedDrawingsHaveNone) {
  store_->Damage(17);
  EXPECT_EQ(Members(Where({{"points", WhereOp::kEq, {"2"}}})),
            Wanted([](uint64_t i) { return i != 17; }));
  EXPECT_EQ(Members(Where({{"strokes", WhereOp::kGt, {"1"}}})).size(), 0U);
  // Counted once for both.
  EXPECT_EQ(store_->reads(), kDrawings);
}

TEST_F(ViewTermsTest, TermsHoldTogether) {
  View view = Where({{"recognized", WhereOp::kEq, {"1"}},
                     {"key_id", WhereOp::kGt, {"3000"}},
                     {"key_id", WhereOp::kLe, {"9000"}}});
  view.split = "train";
  view.classes = {"class2", "class0"};
  EXPECT_EQ(Members(view), Wanted([&](uint64_t i) {
              return store_->SplitHash(i) < 3 * kQuarter &&
                     store_->Recognized(i) == 1 && store_->KeyId(i) > 3000 &&
                     store_->KeyId(i) <= 9000 &&
                     (store_->Label(i) == 0 || store_->Label(i) == 2);
            }));
}

TEST_F(ViewTermsTest, SlicesAndFoldsPartitionTheSplitInHashOrder) {
  std::vector<uint64_t> all;
  for (const char* const slice :
       {"train[:10%]", "train[10%:33.3%]", "train[33.3%:]"}) {
    const std::vector<uint64_t> part = Members(View{slice});
    all.insert(all.end(), part.begin(), part.end());
  }
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, Members(View{"train"}));
  // A tenth of three quarters, give or take five standard deviations.
  EXPECT_NEAR(Members(View{"train[:10%]"}).size(), kDrawings * 0.075, 190);

  std::vector<uint64_t> held_out;
  for (uint32_t i = 0; i < 5; ++i) {
    View view{"train[:50%]"};
    view.fold = Fold{i, 5, true};
    const std::vector<uint64_t> out = Members(view);
    view.fold->held_out = false;
    std::vector<uint64_t> both = Members(view);
    both.insert(both.end(), out.begin(), out.end());
    std::sort(both.begin(), both.end());
    EXPECT_EQ(both, Members(View{"train[:50%]"}));
    held_out.insert(held_out.end(), out.begin(), out.end());
  }
  std::sort(held_out.begin(), held_out.end());
  EXPECT_EQ(held_out, Members(View{"train[:50%]"}));
}

TEST_F(ViewTermsTest, AFractionIsTheSameOfEverySliceAndLargerOnesHoldIt) {
  View view{"train"};
  view.fraction = 0.2;
  const std::vector<uint64_t> fifth = Members(view);
  const auto bound = static_cast<uint64_t>(std::ldexp(0.2, 64));
  EXPECT_EQ(fifth, Wanted([&](uint64_t i) {
              const uint64_t hash = store_->SplitHash(i);
              return hash < 3 * kQuarter && order::SampleHash(hash) < bound;
            }));
  EXPECT_NEAR(fifth.size(), kDrawings * 0.15, 250);
  view.fraction = 0.5;
  const std::vector<uint64_t> half = Members(view);
  EXPECT_TRUE(
      std::includes(half.begin(), half.end(), fifth.begin(), fifth.end()));
  view.fold = Fold{3, 4, true};
  EXPECT_NEAR(Members(view).size(), half.size() / 4.0, 220);
}

TEST_F(ViewTermsTest, MaxPerClassKeepsTheFirstBySampleHash) {
  for (const uint64_t most : {1U, 7U, 1000U, 5002U, 100'000U}) {
    View view = Where({{"recognized", WhereOp::kNe, {"1"}}});
    view.max_per_class = most;
    std::map<int32_t, std::vector<std::pair<uint64_t, uint64_t>>> classes;
    for (uint64_t i = 0; i < kDrawings; ++i) {
      if (store_->Recognized(i) != 0) continue;
      classes[store_->Label(i)].emplace_back(
          order::SampleHash(store_->SplitHash(i)), i);
    }
    std::vector<uint64_t> wanted;
    std::vector<uint64_t> counts;
    for (auto& [label, members] : classes) {
      std::sort(members.begin(), members.end());
      members.resize(std::min<size_t>(members.size(), most));
      for (const auto& [hash, index] : members) wanted.push_back(index);
      if (label >= 0) counts.push_back(members.size());
    }
    std::sort(wanted.begin(), wanted.end());
    EXPECT_EQ(Members(view), wanted) << most;
    EXPECT_EQ((*cache_.Get(*store_, view))->class_counts(), counts);
  }
}

// Every tenth drawing was put into "valid" by name, others go by their hash.
class ListedStore : public FakeStore {
 public:
  explicit ListedStore(uint64_t drawings) : FakeStore(drawings) {
    listed_ = FakeStore::info();
    listed_.listed_splits = true;
    listed_.fingerprint = std::string(64, 'e');
    for (store::SplitInfo& split : listed_.splits) split.drawings = 0;
    for (uint64_t i = 0; i < drawings; ++i)
      ++listed_.splits[SplitOf(i)].drawings;
  }
  const store::StoreInfo& info() const override { return listed_; }
  int32_t ListedSplit(uint64_t index) const override {
    return index % 10 == 0 ? 1 : -1;
  }

 private:
  store::StoreInfo listed_;
};

TEST_F(ViewTermsTest, SplitsThatNameTheirDrawingsAreSlicedAsWell) {
  const auto listed = std::make_shared<ListedStore>(kDrawings);
  const auto members = [&](const View& view) {
    const auto resolved = cache_.Get(*listed, view);
    std::vector<uint64_t> found;
    for (uint64_t rank = 0; rank < (*resolved)->size(); ++rank) {
      found.push_back((*resolved)->IndexOf(rank));
    }
    return found;
  };
  const std::vector<uint64_t> valid = members(View{"valid"});
  EXPECT_EQ(valid, Wanted([&](uint64_t i) { return listed->InSplit(1, i); }));
  std::vector<uint64_t> both = members(View{"valid[:30%]"});
  EXPECT_NEAR(both.size(), valid.size() * 0.3, 200);
  // Named members are in the slice as often as the others.
  const auto named = std::count_if(both.begin(), both.end(),
                                   [](uint64_t i) { return i % 10 == 0; });
  EXPECT_NEAR(named, kDrawings * 0.03, 110);
  for (const uint64_t index : members(View{"valid[30%:]"})) {
    both.push_back(index);
  }
  std::sort(both.begin(), both.end());
  EXPECT_EQ(both, valid);
}

// Drawings without a key that are stroke for stroke the same have one hash.
class OneHashStore : public FakeStore {
 public:
  using FakeStore::FakeStore;
  uint64_t SplitHash(uint64_t /*index*/) const override { return 12345; }
};

TEST_F(ViewTermsTest, OfEqualHashesTheFirstInTheStoreStay) {
  const auto same = std::make_shared<OneHashStore>(1000, 1);
  View view;
  view.max_per_class = 3;
  const auto resolved = cache_.Get(*same, view);
  ASSERT_TRUE(resolved.ok());
  ASSERT_EQ((*resolved)->size(), 6U);  // one class, and those without one
  for (uint64_t rank = 0; rank < 6; ++rank) {
    EXPECT_EQ((*resolved)->IndexOf(rank), rank);
  }
}

TEST_F(ViewTermsTest, KeySetsIncludeAndExclude) {
  std::vector<int64_t> keys;
  for (int64_t key = 1000; key < 9000; key += 3) keys.push_back(key);
  const auto set = Keep(&cache_.key_sets(), keys);
  ASSERT_TRUE(set.ok());
  std::reverse(keys.begin(), keys.end());
  keys.push_back(keys.front());
  EXPECT_EQ((*Keep(&cache_.key_sets(), keys))->hash(), (*set)->hash());
  View view;
  view.include_keys = (*set)->hash();
  EXPECT_EQ(Members(view), Wanted([&](uint64_t i) {
              return (*set)->Contains(store_->KeyId(i));
            }));
  view = View();
  view.exclude_keys = (*set)->hash();
  EXPECT_EQ(Members(view), Wanted([&](uint64_t i) {
              return !(*set)->Contains(store_->KeyId(i));
            }));
}

TEST_F(ViewTermsTest, AnUnknownKeySetAsksForItsUpload) {
  View view;
  view.exclude_keys = "00112233445566778899aabbccddeeff";
  const absl::Status status = cache_.Get(*store_, view).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(status), kReasonKeysNotHere);
  EXPECT_THAT(std::string(status.message()), HasSubstr("view.exclude_keys"));
}

TEST_F(ViewTermsTest, KeySetsStayUnderTheirBudget) {
  KeySetCache cache(100'000);
  const std::vector<int64_t> too_many(cache.max_keys() + 1, 5);
  EXPECT_FALSE(Keep(&cache, too_many).ok());
  EXPECT_FALSE(Keep(&cache, {}).ok());
  EXPECT_THAT(std::string(Keep(&cache, {4, 0}).status().message()),
              HasSubstr("key_id[1]: 0 is no key"));
  std::string first;
  for (int64_t set = 1; set <= 50; ++set) {
    std::vector<int64_t> keys;
    for (int64_t k = 1; k <= 1000; ++k) keys.push_back(set * 10'000 + k);
    const auto added = Keep(&cache, keys);
    ASSERT_TRUE(added.ok());
    if (first.empty()) first = (*added)->hash();
    EXPECT_LE(cache.bytes(), 100'000U);
  }
  EXPECT_FALSE(cache.Get("view.include_keys", first).ok());
}

TEST_F(ViewTermsTest, WhatComesInIsOfTheSameBudget) {
  KeySetCache cache(90'000);
  ASSERT_TRUE(Keep(&cache, {1, 2, 3}).ok());
  std::vector<int64_t> keys(2000);
  std::iota(keys.begin(), keys.end(), 1);
  std::vector<std::unique_ptr<KeyUpload>> uploads;
  absl::Status status;
  while (status.ok()) {
    uploads.push_back(cache.NewUpload());
    status = uploads.back()->Add(keys);
    EXPECT_LE(cache.bytes(), 91'000U);
    ASSERT_LT(uploads.size(), 10U) << "what comes in is not counted";
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(status), kReasonViewMemory);
  EXPECT_EQ(uploads.size(), 3U);
  // One that was given up makes room, and one that is kept too.
  uploads.pop_back();
  uploads.pop_back();
  EXPECT_TRUE(Keep(&cache, keys).ok());
  EXPECT_TRUE(cache.Keep(std::move(uploads[0])).ok());
}

TEST_F(ViewTermsTest, OneCallersUploadsLeaveAnEighthToOthers) {
  KeySetCache cache(90'000);
  // The longest set is no longer than its caller's share.
  std::vector<int64_t> keys(cache.max_keys());
  std::iota(keys.begin(), keys.end(), 1);
  auto busy = cache.NewUpload("busy");
  ASSERT_TRUE(busy->Add(keys).ok());
  const absl::Status refused = cache.NewUpload("busy")->Add({1, 2, 3});
  EXPECT_EQ(ReasonOf(refused), kReasonViewMemory);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("from \"busy\""));
  const auto newcomer = cache.NewUpload("newcomer");
  EXPECT_TRUE(newcomer->Add({1, 2, 3}).ok());
  busy.reset();
  EXPECT_TRUE(cache.NewUpload("busy")->Add({1, 2, 3}).ok());
}

TEST_F(ViewTermsTest, ErrorsNameTheTermTheValueAndTheNearest) {
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  constexpr auto kNotFound = absl::StatusCode::kNotFound;
  EXPECT_THAT(ErrorOf(Where({{"recognised", WhereOp::kEq, {"1"}}}), kInvalid),
              HasSubstr("view.where[0].column: there is no \"recognised\"; the "
                        "nearest is \"recognized\""));
  EXPECT_THAT(ErrorOf(Where({{"recognized", WhereOp::kLt, {"1"}}}), kInvalid),
              HasSubstr("offered: ==, !=, in, not in"));
  EXPECT_THAT(ErrorOf(Where({{"recognized", WhereOp::kEq, {"yes"}}}), kInvalid),
              HasSubstr("values[0]: \"yes\" is not a recognized; give true"));
  EXPECT_THAT(ErrorOf(Where({{"index", WhereOp::kEq, {"1", "2"}}}), kInvalid),
              HasSubstr("2 values for index ==; it takes one"));
  EXPECT_THAT(ErrorOf(Where({{"index", WhereOp::kIn, {}}}), kInvalid),
              HasSubstr("it takes at least one"));
  EXPECT_THAT(ErrorOf(Where({{"timestamp", WhereOp::kGe, {"May"}}}), kInvalid),
              HasSubstr("2017-03-02"));
  EXPECT_THAT(ErrorOf(Where({{"points", WhereOp::kGe, {"2.5"}}}), kInvalid),
              HasSubstr("a whole number"));
  EXPECT_THAT(
      ErrorOf(Where({{"index", WhereOp::kGe, {"0"}},
                     {"countrycode", WhereOp::kIn, {"DE", "JQ"}}}),
              kNotFound),
      HasSubstr("view.where[1].values[1]: no drawing has the countrycode "
                "\"JQ\"; the nearest is \"JP\""));
  EXPECT_THAT(ErrorOf(Where({{"word", WhereOp::kEq, {"clas1"}}}), kNotFound),
              HasSubstr("the nearest is \"class1\""));
  View view;
  view.fraction = 1.5;
  EXPECT_THAT(ErrorOf(view, kInvalid),
              HasSubstr("view.fraction: 1.5 is not in (0, 1]"));
}

TEST_F(ViewTermsTest, WhatMeansTheSameIsTheSameOrder) {
  const auto text = [&](View view) {
    return order::CanonicalOrderPlan((*cache_.Get(*store_, view))->order_view(),
                                     OrderSpec());
  };
  EXPECT_EQ(text(Where({{"index", WhereOp::kLt, {"9"}},
                        {"recognized", WhereOp::kIn, {"true"}}})),
            text(Where({{"recognized", WhereOp::kEq, {"1"}},
                        {"index", WhereOp::kLt, {"9"}}})));
  EXPECT_EQ(text(Where({{"countrycode", WhereOp::kIn, {"FR", "DE", "FR"}}})),
            text(Where({{"countrycode", WhereOp::kIn, {"DE", "FR"}}})));
  EXPECT_NE(text(View{"train[:50%]"}), text(View{"train[:51%]"}));
}

}  // namespace
}  // namespace inkstream::batch
