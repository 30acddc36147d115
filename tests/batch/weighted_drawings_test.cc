// Weights by drawing: uploaded, resolved within a view, drawn from.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/base/status_reason.h"
#include "server/batch/view/sampled_view.h"
#include "server/batch/view/view_cache.h"
#include "tests/support/fake_store.h"

namespace inkstream::batch {
namespace {

using testing::FakeStore;
using ::testing::HasSubstr;

constexpr uint64_t kDrawings = 600'000;  // two threads' worth

class WeightedDrawingsTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::string> Upload(DrawingName by,
                                     const std::vector<int64_t>& names,
                                     const std::vector<double>& weights) {
    std::unique_ptr<KeyUpload> upload = cache_.key_sets().NewUpload();
    absl::Status added = upload->AddWeights(by, names, weights);
    if (!added.ok()) return added;
    absl::StatusOr<KeptKeys> kept = cache_.key_sets().Keep(std::move(upload));
    if (!kept.ok()) return kept.status();
    return kept->hash;
  }

  absl::StatusOr<std::shared_ptr<const SampledView>> Sampled(
      const std::string& hash, const View& view = {}) {
    Sampling sampling;
    sampling.kind = SamplingKind::kDrawings;
    sampling.drawings = hash;
    return SampledView::Create(&cache_, *store_, view, sampling);
  }

  std::string ErrorOf(const absl::Status& status) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    return std::string(status.message());
  }

  // How often each drawing comes in an epoch.
  std::map<uint64_t, uint64_t> Counts(const SampledView& sampled,
                                      uint64_t epoch) {
    const OrderSpec spec = {.seed = 1,
                            .sampling = {.kind = SamplingKind::kDrawings}};
    const auto order =
        order::EpochOrder::Create(spec, sampled.mixture(), epoch);
    std::map<uint64_t, uint64_t> counts;
    std::vector<order::Pick> picks(order->size());
    order->PicksFrom(0, absl::MakeSpan(picks));
    for (const order::Pick& pick : picks) {
      // No two appearances of a drawing have the same occurrence.
      EXPECT_LT(sampled.OccurrenceOf(pick), order->size());
      ++counts[sampled.IndexOf(pick)];
    }
    return counts;
  }

  const std::shared_ptr<FakeStore> store_ =
      std::make_shared<FakeStore>(kDrawings);
  ViewCache cache_{64U << 20U, 2};
};

TEST_F(WeightedDrawingsTest, DrawingsComeByTheirWeightWithinTheView) {
  std::vector<int64_t> keys;
  std::vector<double> weights;
  for (uint64_t i = 0; i < kDrawings; i += 100) {
    if (store_->KeyId(i) < 0) continue;
    keys.push_back(store_->KeyId(i));
    weights.push_back(static_cast<double>(i / 100 % 4));  // 0, 1, 2, 3
  }
  View view;
  view.where = {{"index", WhereOp::kLt, {"300000"}}};
  const auto hash = Upload(DrawingName::kKey, keys, weights);
  ASSERT_TRUE(hash.ok()) << hash.status();
  const auto sampled = Sampled(*hash, view);
  ASSERT_TRUE(sampled.ok()) << sampled.status();
  double total = 0;
  uint64_t members = 0;
  for (uint64_t i = 0; i < 300'000; i += 100) {
    if (store_->KeyId(i) < 0) continue;
    total += static_cast<double>(i / 100 % 4);
    members += i / 100 % 4 > 0 ? 1 : 0;
  }
  EXPECT_EQ((*sampled)->size(), members);
  for (const auto& [index, count] : Counts(**sampled, 3)) {
    ASSERT_EQ(index % 100, 0U);
    ASSERT_LT(index, 300'000U);
    const double weight = static_cast<double>(index / 100 % 4);
    ASSERT_GT(weight, 0);
    const double share = static_cast<double>(members) * weight / total;
    EXPECT_GE(count, std::floor(share));
    EXPECT_LE(count, std::ceil(share));
  }
}

TEST_F(WeightedDrawingsTest, IndicesNameDrawingsToo) {
  const auto hash = Upload(DrawingName::kIndex, {599'999, 0, 6}, {1, 2, 1});
  ASSERT_TRUE(hash.ok()) << hash.status();
  const auto sampled = Sampled(*hash);
  ASSERT_TRUE(sampled.ok()) << sampled.status();
  EXPECT_EQ((*sampled)->size(), 3U);
  std::map<uint64_t, uint64_t> counts;
  for (uint64_t epoch = 0; epoch < 100; ++epoch) {
    for (const auto& [index, count] : Counts(**sampled, epoch)) {
      counts[index] += count;
    }
  }
  EXPECT_EQ(counts.size(), 3U);
  EXPECT_NEAR(counts[0], 150, 25);
  EXPECT_NEAR(counts[6], 75, 25);
}

TEST_F(WeightedDrawingsTest, TheNameIsOfTheContentInAnyOrder) {
  const auto some = Upload(DrawingName::kKey, {5, 3}, {0.5, 2});
  EXPECT_EQ(*some, *Upload(DrawingName::kKey, {3, 5}, {2, 0.5}));
  EXPECT_NE(*some, *Upload(DrawingName::kKey, {3, 5}, {0.5, 2}));
  EXPECT_NE(*some, *Upload(DrawingName::kIndex, {3, 5}, {2, 0.5}));
  EXPECT_EQ(*Upload(DrawingName::kKey, {3, 5}, {1, -0.0}),
            *Upload(DrawingName::kKey, {3, 5}, {1, 0}));
}

TEST_F(WeightedDrawingsTest, WrongWeightsAreRefusedByFieldAndValue) {
  const auto by_key = [&](const std::vector<int64_t>& keys,
                          const std::vector<double>& weights) {
    return ErrorOf(Upload(DrawingName::kKey, keys, weights).status());
  };
  EXPECT_THAT(by_key({1, 2}, {1, -2}),
              HasSubstr("weights[1]: -2 is not a finite number >= 0"));
  EXPECT_THAT(by_key({1}, {std::nan("")}), HasSubstr("weights[0]: nan"));
  EXPECT_THAT(by_key({1}, {std::numeric_limits<double>::infinity()}),
              HasSubstr("weights[0]: inf"));
  EXPECT_THAT(by_key({1, 2}, {0, 0}), HasSubstr("weights: all 2 are 0"));
  EXPECT_THAT(by_key({1, 2}, {1}), HasSubstr("weights: 1 for 2 drawings"));
  EXPECT_THAT(by_key({4, 7, 4}, {1, 2, 3}), HasSubstr("key_id: 4 comes twice"));
  EXPECT_THAT(by_key({0}, {1}), HasSubstr("key_id[0]: 0 is no key"));
  EXPECT_THAT(by_key({}, {}), HasSubstr("give at least one"));
  EXPECT_THAT(ErrorOf(Upload(DrawingName::kIndex, {-1}, {1}).status()),
              HasSubstr("index[0]: -1 is no index"));
}

TEST_F(WeightedDrawingsTest, MessagesOfTwoKindsAreNoSet) {
  std::unique_ptr<KeyUpload> upload = cache_.key_sets().NewUpload();
  ASSERT_TRUE(upload->Add({5}).ok());
  EXPECT_THAT(ErrorOf(upload->AddWeights(DrawingName::kKey, {6}, {1})),
              HasSubstr("key_id: with weights, after key_id without them"));
  upload = cache_.key_sets().NewUpload();
  ASSERT_TRUE(upload->AddWeights(DrawingName::kKey, {5}, {1}).ok());
  EXPECT_THAT(ErrorOf(upload->AddWeights(DrawingName::kIndex, {6}, {1})),
              HasSubstr("index: with weights, after key_id with them"));
}

TEST_F(WeightedDrawingsTest, NamesThatTheStoreDoesNotHaveAreToldWithACount) {
  const auto keys =
      Upload(DrawingName::kKey, {1000, 77, 5, 2001}, {1, 1, 0, 1});
  EXPECT_THAT(ErrorOf(Sampled(*keys).status()),
              HasSubstr("order.sampling.drawings.weights: 2 of 4 keys are no "
                        "drawing's of this store, the first of them 5"));
  const auto indices = Upload(DrawingName::kIndex, {3, 600'000}, {1, 1});
  EXPECT_THAT(ErrorOf(Sampled(*indices).status()),
              HasSubstr("1 of 2 indices are not in this store, the first of "
                        "them 600000; it has drawings 0 to 599999"));
}

TEST_F(WeightedDrawingsTest, AViewWithoutAWeightIsRefused) {
  View view;
  view.where = {{"index", WhereOp::kLt, {"100"}}};
  const auto hash = Upload(DrawingName::kIndex, {5, 200}, {0, 1});
  EXPECT_THAT(ErrorOf(Sampled(*hash, view).status()),
              HasSubstr("none of the view's 100 drawings has a weight"));
  EXPECT_THAT(ErrorOf(Sampled("").status()), HasSubstr("names no weights"));
}

TEST_F(WeightedDrawingsTest, SetsThatAreNotHereAreAskedForAndKindsToldApart) {
  const absl::Status status = Sampled(std::string(32, 'a')).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(status), kReasonKeysNotHere);
  const auto hash = Upload(DrawingName::kKey, {1000}, {1});
  View view;
  view.include_keys = *hash;
  EXPECT_THAT(ErrorOf(cache_.Get(*store_, view).status()),
              HasSubstr("is no key set but a set of weights"));
}

TEST_F(WeightedDrawingsTest, WhatIsResolvedIsSharedAndOutlivesItsSet) {
  const auto hash = Upload(DrawingName::kKey, {1000, 1001}, {1, 2});
  const auto weighted = cache_.GetWeighted(*store_, {}, *hash);
  ASSERT_TRUE(weighted.ok()) << weighted.status();
  EXPECT_GE(cache_.bytes(), (*weighted)->bytes());
  // Others take the room.
  for (int64_t set = 1; set < 100; ++set) {
    std::vector<int64_t> keys(20'000);
    for (size_t i = 0; i < keys.size(); ++i) keys[i] = set * 100'000 + i + 1;
    std::unique_ptr<KeyUpload> upload = cache_.key_sets().NewUpload();
    ASSERT_TRUE(upload->Add(keys).ok());
    ASSERT_TRUE(cache_.key_sets().Keep(std::move(upload)).ok());
  }
  EXPECT_FALSE(cache_.key_sets().GetWeights("weights", *hash).ok());
  EXPECT_EQ(*cache_.GetWeighted(*store_, {}, *hash), *weighted);
}

TEST_F(WeightedDrawingsTest, WeightsStayUnderTheBudgets) {
  ViewCache small(60'000, 1);
  std::unique_ptr<KeyUpload> upload = small.key_sets().NewUpload();
  const size_t most = small.key_sets().max_weights();
  EXPECT_EQ(most, small.key_sets().max_keys() / 3);  // as proto/README.md says
  std::vector<int64_t> names(most + 1);
  for (size_t i = 0; i < names.size(); ++i) names[i] = i;
  const std::vector<double> weights(names.size(), 1);
  EXPECT_THAT(ErrorOf(upload->AddWeights(DrawingName::kIndex, names, weights)),
              HasSubstr(absl::StrCat("at most ", most, " a set")));
  ASSERT_TRUE(upload
                  ->AddWeights(DrawingName::kIndex,
                               absl::MakeSpan(names).first(most),
                               absl::MakeSpan(weights).first(most))
                  .ok());
  const auto kept = small.key_sets().Keep(std::move(upload));
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_LE(small.key_sets().bytes(), 15'000U);
  const absl::Status status =
      small.GetWeighted(*store_, {}, kept->hash).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_EQ(ReasonOf(status), kReasonViewMemory);
}

}  // namespace
}  // namespace inkstream::batch
