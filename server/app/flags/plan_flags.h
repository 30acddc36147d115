// Flags of `plan`, and the plan that they mean.
//
// Thread safety: plain values; pure functions.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "inkstream/plan.h"
#include "server/app/flags/view_flags.h"

namespace inkstream::app {

struct PlanFlags {
  std::string store;
  Plan plan;  // as far as it is as flags say it
  ViewFlags view = {.view = {.split = "train"}};
  std::string shuffle = "full";
  std::string sampling = "uniform";
  std::string image;  // HxW; empty: no pixels
  std::string tail = "drop";
  uint64_t epoch = 0;
  uint64_t step = 0;
  uint32_t steps = 0;
  uint32_t size = 0;           // trainers; 0: nothing is said of servers
  double rate = 5000;          // drawings a second that each of them takes
  std::string codec = "auto";  // auto: they draw; none: the server does
  bool all_ranks = false;
  bool json = false;
};

// The view without its sets of keys. INVALID_ARGUMENT names the flag, its value
// and what it takes.
absl::StatusOr<Plan> PlanOf(const PlanFlags& flags);

}  // namespace inkstream::app
