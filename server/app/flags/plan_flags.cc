#include "server/app/flags/plan_flags.h"

#include <cstdio>
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
  Plan plan = flags.plan;
  absl::StatusOr<View> view = ViewOf(flags.view);
  if (!view.ok()) return view.status();
  plan.view = *std::move(view);
  absl::Status status = SetShuffle(flags.shuffle, &plan.order);
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
