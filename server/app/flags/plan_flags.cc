#include "server/app/flags/plan_flags.h"

#include <cstdio>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace inkstream::app {
namespace {

absl::Status Wrong(absl::string_view flag, absl::string_view value,
                   absl::string_view wanted) {
  return absl::InvalidArgumentError(
      absl::StrCat(flag, " ", value, ": give ", wanted));
}

absl::StatusOr<WhereTerm> TermOf(const std::string& text) {
  // Longer operators first: "<=" begins with "<".
  static constexpr std::pair<absl::string_view, WhereOp> kOps[] = {
      {" not in ", WhereOp::kNotIn}, {" in ", WhereOp::kIn},
      {"==", WhereOp::kEq},          {"!=", WhereOp::kNe},
      {"<=", WhereOp::kLe},          {">=", WhereOp::kGe},
      {"<", WhereOp::kLt},           {">", WhereOp::kGt}};
  for (const auto& [symbol, op] : kOps) {
    const size_t at = text.find(std::string(symbol));
    if (at == std::string::npos) continue;
    const auto trimmed = [](absl::string_view part) {
      return std::string(absl::StripAsciiWhitespace(part));
    };
    WhereTerm term;
    term.column = trimmed(absl::string_view(text).substr(0, at));
    term.op = op;
    const std::string values = text.substr(at + symbol.size());
    if (op == WhereOp::kIn || op == WhereOp::kNotIn) {
      for (const absl::string_view value : absl::StrSplit(values, ',')) {
        term.values.push_back(trimmed(value));
      }
    } else {
      term.values = {trimmed(values)};
    }
    return term;
  }
  return Wrong("--where", text,
               "COLUMN OP VALUE, such as \"recognized==1\" or \"countrycode in "
               "DE,FR\"");
}

absl::Status SetFold(const std::string& text, View* view) {
  if (text.empty()) return absl::OkStatus();
  absl::string_view rest = text;
  Fold fold;
  fold.held_out = absl::ConsumeSuffix(&rest, ":held-out");
  const std::vector<absl::string_view> parts = absl::StrSplit(rest, '/');
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &fold.index) ||
      !absl::SimpleAtoi(parts[1], &fold.count)) {
    return Wrong("--fold", text, "INDEX/COUNT or INDEX/COUNT:held-out");
  }
  view->fold = fold;
  return absl::OkStatus();
}

absl::Status SetShuffle(const std::string& text, OrderSpec* order) {
  absl::string_view rest = text;
  if (text == "full") {
    order->shuffle = ShuffleKind::kFull;
  } else if (text == "none") {
    order->shuffle = ShuffleKind::kNone;
  } else if (absl::ConsumePrefix(&rest, "window:") &&
             absl::SimpleAtoi(rest, &order->shuffle_window)) {
    order->shuffle = ShuffleKind::kWindow;
  } else {
    return Wrong("--shuffle", text, "full, none or window:N");
  }
  return absl::OkStatus();
}

absl::Status SetSampling(const std::string& text, Sampling* sampling) {
  absl::string_view rest = text;
  if (text == "uniform") return absl::OkStatus();
  if (absl::ConsumePrefix(&rest, "balanced:")) {
    sampling->kind = SamplingKind::kBalanced;
    if (absl::SimpleAtod(rest, &sampling->alpha)) return absl::OkStatus();
  } else if (absl::ConsumePrefix(&rest, "weights:")) {
    sampling->kind = SamplingKind::kWeights;
    bool numbers = true;
    for (const absl::string_view part : absl::StrSplit(rest, ',')) {
      numbers &= absl::SimpleAtod(part, &sampling->weights.emplace_back());
    }
    if (numbers) return absl::OkStatus();
  }
  return Wrong("--sampling", text,
               "uniform, balanced:ALPHA or weights:W,W,... (one a class)");
}

}  // namespace

absl::StatusOr<Plan> PlanOf(const PlanFlags& flags) {
  Plan plan;
  plan.view.split = flags.split == "all" ? "" : flags.split;
  plan.view.classes = flags.classes;
  plan.view.max_per_class = flags.max_per_class;
  plan.view.fraction = flags.fraction;
  for (const std::string& text : flags.where) {
    absl::StatusOr<WhereTerm> term = TermOf(text);
    if (!term.ok()) return term.status();
    plan.view.where.push_back(*std::move(term));
  }
  absl::Status status = SetFold(flags.fold, &plan.view);
  plan.order.seed = flags.seed;
  status.Update(SetShuffle(flags.shuffle, &plan.order));
  status.Update(SetSampling(flags.sampling, &plan.order.sampling));
  if (!status.ok()) return status;
  if (!flags.image.empty()) {
    ImageSpec image;
    char rest = 0;
    const int read = std::sscanf(flags.image.c_str(), "%5ux%5u%c",
                                 &image.height, &image.width, &rest);
    if (read != 2) return Wrong("--image", flags.image, "HEIGHTxWIDTH");
    plan.delivery.image = image;
  }
  plan.delivery.columns = flags.columns;
  plan.delivery.batch_size = flags.batch;
  plan.delivery.world = flags.world;
  plan.delivery.rank = flags.rank;
  if (flags.tail == "partial") {
    plan.delivery.tail = Tail::kPartial;
  } else if (flags.tail == "pad") {
    plan.delivery.tail = Tail::kPad;
  } else if (flags.tail != "drop") {
    return Wrong("--tail", flags.tail, "drop, partial or pad");
  }
  return plan;
}

}  // namespace inkstream::app
