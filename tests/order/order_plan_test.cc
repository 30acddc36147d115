#include "server/order/order_plan.h"

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace inkstream::order {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

ResolvedView TrainView() {
  return {.split_rule = "hash:inkstream/1:[0,0.9)",
          .classes = {"cat", "The Eiffel Tower"},
          .size = 1234};
}

Cursor CursorOf(const std::string& canonical, uint64_t seed) {
  Cursor cursor;
  cursor.fingerprint = std::string(64, 'a');
  cursor.plan_hash = OrderPlanHash(canonical);
  cursor.order_plan = canonical;
  cursor.seed = seed;
  return cursor;
}

TEST(CanonicalOrderPlan, HasThisText) {
  EXPECT_EQ(CanonicalOrderPlan(TrainView(), {.seed = 7}),
            "inkstream order plan 1\n"
            "split=hash:inkstream/1:[0\\x2c0.9)\n"
            "classes=[cat,The Eiffel Tower]\n"
            "size=1234\n"
            "seed=7\n"
            "shuffle=full\n"
            "sampling=uniform\n");
  EXPECT_EQ(CanonicalOrderPlan({.size = 3}, {.seed = ~uint64_t{0},
                                             .shuffle = ShuffleKind::kWindow,
                                             .shuffle_window = 10}),
            "inkstream order plan 1\n"
            "split=\n"
            "classes=*\n"
            "size=3\n"
            "seed=18446744073709551615\n"
            "shuffle=window:10\n"
            "sampling=uniform\n");
}

TEST(CanonicalOrderPlan, EveryTermThatIsSetHasALine) {
  ResolvedView view = TrainView();
  view.slice = "10%:20.5%";
  view.fold = "1/5 held out";
  view.where = {"recognized == 1", "countrycode in DE|FR", "recognized == 1"};
  view.fraction = 0.1;
  view.max_per_class = 70'000;
  view.include_keys = "00ff";
  view.exclude_keys = "11ee";
  OrderSpec spec = {.seed = 7};
  spec.sampling = {SamplingKind::kBalanced, 0.5};
  EXPECT_EQ(CanonicalOrderPlan(view, spec),
            "inkstream order plan 1\n"
            "split=hash:inkstream/1:[0\\x2c0.9)\n"
            "classes=[cat,The Eiffel Tower]\n"
            "slice=10%:20.5%\n"
            "fold=1/5 held out\n"
            "where=[countrycode in DE|FR,recognized == 1]\n"
            "fraction=0.1\n"
            "max_per_class=70000\n"
            "include_keys=00ff\n"
            "exclude_keys=11ee\n"
            "size=1234\n"
            "seed=7\n"
            "shuffle=full\n"
            "sampling=balanced:0.5\n");
}

TEST(CanonicalOrderPlan, AMixHasALineForEachView) {
  OrderSpec spec;
  spec.sampling = {SamplingKind::kMix, 0, {1, 0.25}};
  ResolvedView dogs = {.split_rule = "all", .classes = {"dog", "cat"}};
  dogs.where = {"recognized == 1"};
  dogs.size = 9;
  const std::string text =
      CanonicalOrderPlan({.size = 20}, spec, {{.size = 11}, dogs});
  EXPECT_THAT(text, HasSubstr("sampling=mix:[1,0.25]\n"
                              "mix[0]=split=; classes=*; size=11\n"
                              "mix[1]=split=all; classes=[cat\\x2cdog]; "
                              "where=[recognized == 1]; size=9\n"));
}

TEST(CheckCursor, OtherWeightsOfDrawingsAreNamed) {
  OrderSpec spec = {.seed = 7};
  spec.sampling = {.kind = SamplingKind::kDrawings, .drawings = "00ff"};
  const std::string before = CanonicalOrderPlan(TrainView(), spec);
  EXPECT_THAT(before, HasSubstr("sampling=drawings:00ff\n"));
  spec.sampling.drawings = "11ee";
  const std::string now = CanonicalOrderPlan(TrainView(), spec);
  const std::string fingerprint(64, 'a');
  EXPECT_TRUE(CheckCursor(CursorOf(before, 7), fingerprint, before).ok());
  EXPECT_THAT(
      std::string(CheckCursor(CursorOf(before, 7), fingerprint, now).message()),
      HasSubstr("sampling was \"drawings:00ff\" where the cursor was "
                "made and is \"drawings:11ee\""));
}

TEST(CheckCursor, ATermThatOnlyOneSideHasIsNamed) {
  ResolvedView view = TrainView();
  const std::string plain = CanonicalOrderPlan(view, {.seed = 7});
  view.fraction = 0.5;
  const std::string half = CanonicalOrderPlan(view, {.seed = 7});
  const std::string fingerprint(64, 'a');
  EXPECT_THAT(
      std::string(CheckCursor(CursorOf(plain, 7), fingerprint, half).message()),
      AllOf(HasSubstr("fraction was \"(not set)\""), HasSubstr("\"0.5\"")));
  EXPECT_THAT(
      std::string(CheckCursor(CursorOf(half, 7), fingerprint, plain).message()),
      HasSubstr("fraction was \"0.5\" where the cursor was made and is "
                "\"(not set)\""));
}

TEST(OrderPlanHash, IsTheStartOfSha256) {
  // printf 'abc' | sha256sum
  EXPECT_EQ(OrderPlanHash("abc"), "ba7816bf8f01cfea414140de5dae2223");
  EXPECT_EQ(OrderPlanHash(CanonicalOrderPlan(TrainView(), {.seed = 7})),
            "9d9281709e52cf51aed354b0b71cfd3e");
}

TEST(CanonicalOrderPlan, LongListsAreTheirCountAndHash) {
  ResolvedView view = TrainView();
  view.classes.clear();
  for (int i = 0; i < 345; ++i) {
    view.classes.push_back(absl::StrCat("class ", i));
  }
  const std::string canonical = CanonicalOrderPlan(view, {});
  EXPECT_LT(canonical.size(), 300);
  EXPECT_THAT(canonical, HasSubstr("classes=#345:"));
  std::swap(view.classes[3], view.classes[4]);
  EXPECT_NE(CanonicalOrderPlan(view, {}), canonical);
}

TEST(CanonicalOrderPlan, DifferentListsNeverReadTheSame) {
  std::set<std::string> texts;
  const std::vector<std::vector<std::string>> lists = {
      {},        {""},      {"", ""},        {"a", "b"}, {"a,b"},
      {"a\\,b"}, {"", "a"}, {"a"},           {"a\nb"},   {"a\\x0ab"},
      {"*"},     {"[a]"},   {"caf\xc3\xa9"}, {"cafe"}};
  for (const auto& list : lists) {
    texts.insert(CanonicalOrderPlan({.classes = list, .size = 1}, {}));
  }
  EXPECT_EQ(texts.size(), lists.size());
}

TEST(CheckCursor, AcceptsTheSameOrder) {
  const std::string canonical = CanonicalOrderPlan(TrainView(), {.seed = 7});
  Cursor cursor = CursorOf(canonical, 7);
  EXPECT_TRUE(CheckCursor(cursor, cursor.fingerprint, canonical).ok());
  cursor.order_plan.clear();
  EXPECT_TRUE(CheckCursor(cursor, cursor.fingerprint, canonical).ok());
}

struct Change {
  std::string field;
  std::string old_value;
  std::string new_value;
  std::function<void(ResolvedView*, OrderSpec*)> apply;
};

TEST(CheckCursor, NamesTheFirstFieldThatDiffersWithBothValues) {
  const std::vector<Change> changes = {
      {"split", "hash:inkstream/1:[0,0.9)", "file:valid",
       [](ResolvedView* view, OrderSpec*) { view->split_rule = "file:valid"; }},
      {"classes", "[cat,The Eiffel Tower]", "[cat]",
       [](ResolvedView* view, OrderSpec*) { view->classes = {"cat"}; }},
      {"size", "1234", "1235",
       [](ResolvedView* view, OrderSpec*) { view->size = 1235; }},
      {"shuffle", "full", "none",
       [](ResolvedView*, OrderSpec* spec) {
         spec->shuffle = ShuffleKind::kNone;
       }},
  };
  const std::string old_plan = CanonicalOrderPlan(TrainView(), {.seed = 7});
  for (const Change& change : changes) {
    ResolvedView view = TrainView();
    OrderSpec spec{.seed = 7};
    change.apply(&view, &spec);
    const Cursor cursor = CursorOf(old_plan, 7);
    const absl::Status status =
        CheckCursor(cursor, cursor.fingerprint, CanonicalOrderPlan(view, spec));
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(
        status.message(),
        AllOf(HasSubstr(absl::StrCat(change.field, " was \"", change.old_value,
                                     "\"")),
              HasSubstr(absl::StrCat("is \"", change.new_value, "\""))));
  }
}

TEST(CheckCursor, OfAnotherSeedNamesBothSeeds) {
  const std::string old_plan = CanonicalOrderPlan(TrainView(), {.seed = 7});
  Cursor cursor = CursorOf(old_plan, 7);
  const absl::Status status = CheckCursor(
      cursor, cursor.fingerprint, CanonicalOrderPlan(TrainView(), {.seed = 8}));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("seed was \"7\""));
  EXPECT_THAT(status.message(), HasSubstr("is \"8\""));

  // Also where only the cursor's own field was edited.
  cursor.seed = 9;
  EXPECT_THAT(CheckCursor(cursor, cursor.fingerprint, old_plan).message(),
              HasSubstr("seed was \"9\""));
}

TEST(CheckCursor, OfAnotherStoreNamesBothFingerprints) {
  const std::string canonical = CanonicalOrderPlan(TrainView(), {.seed = 7});
  const absl::Status status =
      CheckCursor(CursorOf(canonical, 7), std::string(64, 'b'), canonical);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(),
              AllOf(HasSubstr("fingerprint"), HasSubstr(std::string(64, 'a')),
                    HasSubstr(std::string(64, 'b'))));
}

TEST(CheckCursor, WithoutTheTextSaysHowToLearnMore) {
  Cursor cursor = CursorOf(CanonicalOrderPlan(TrainView(), {.seed = 7}), 7);
  cursor.order_plan.clear();
  ResolvedView view = TrainView();
  view.size = 5;
  const absl::Status status = CheckCursor(
      cursor, cursor.fingerprint, CanonicalOrderPlan(view, {.seed = 7}));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(),
              AllOf(HasSubstr(cursor.plan_hash), HasSubstr("order_plan")));
}

TEST(CheckCursor, OfAnotherReleaseNamesThePlanVersion) {
  const std::string canonical = CanonicalOrderPlan(TrainView(), {.seed = 7});
  std::string other = canonical;
  other.replace(other.find("plan 1"), 6, "plan 2");
  const Cursor cursor = CursorOf(other, 7);
  const absl::Status status =
      CheckCursor(cursor, cursor.fingerprint, canonical);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("inkstream order plan 2"));
}

TEST(CheckCursor, RefusesMalformedFieldsByName) {
  const std::string canonical = CanonicalOrderPlan(TrainView(), {.seed = 7});
  const Cursor good = CursorOf(canonical, 7);
  const auto check = [&](const std::function<void(Cursor*)>& spoil,
                         const std::string& field) {
    Cursor cursor = good;
    spoil(&cursor);
    const absl::Status status =
        CheckCursor(cursor, good.fingerprint, canonical);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << field;
    EXPECT_THAT(status.message(), HasSubstr(field));
    EXPECT_LT(status.message().size(), 400) << field;
  };
  check([](Cursor* c) { c->version = 2; }, "cursor.version");
  check([](Cursor* c) { c->version = 0; }, "cursor.version");
  check([](Cursor* c) { c->fingerprint = ""; }, "cursor.fingerprint");
  check([](Cursor* c) { c->fingerprint = std::string(64, 'A'); },
        "cursor.fingerprint");
  check([](Cursor* c) { c->fingerprint = std::string(1 << 20, '\n'); },
        "cursor.fingerprint");
  check([](Cursor* c) { c->plan_hash = "12"; }, "cursor.plan_hash");
  check([](Cursor* c) { c->order_plan += "x"; }, "cursor.order_plan");
  check([](Cursor* c) { c->order_plan = std::string(1 << 20, 'x'); },
        "cursor.order_plan");
}

}  // namespace
}  // namespace inkstream::order
