// Flags of `plan`, and the plan that they mean.
//
// Thread safety: plain values; pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "inkstream/plan.h"

namespace inkstream::app {

struct PlanFlags {
  std::string store;
  std::string split = "train";
  std::vector<std::string> classes;
  std::vector<std::string> where;  // COLUMN OP VALUE[,VALUE...]
  uint64_t max_per_class = 0;
  double fraction = 1;
  std::string fold;  // I/K or I/K:held-out
  uint64_t seed = 0;
  std::string shuffle = "full";
  std::string sampling = "uniform";
  std::string image;  // HxW; empty: no pixels
  std::vector<std::string> columns = {"label"};
  uint32_t batch = 256;
  uint32_t world = 1;
  uint32_t rank = 0;
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

// INVALID_ARGUMENT names the flag, its value and what it takes.
absl::StatusOr<Plan> PlanOf(const PlanFlags& flags);

}  // namespace inkstream::app
