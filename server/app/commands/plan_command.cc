// `inkstream plan`: what a stream would deliver, from the store itself.

#include <cstdint>
#include <cstdio>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "server/app/commands/commands.h"
#include "server/app/commands/server_size.h"
#include "server/app/failure.h"
#include "server/app/flags/command_line.h"
#include "server/app/flags/number_flags.h"
#include "server/app/flags/plan_flags.h"
#include "server/app/flags/view_flags.h"
#include "server/base/json.h"
#include "server/base/machine_limits.h"
#include "server/batch/engine.h"
#include "server/store/store_reader.h"

namespace inkstream::app {
namespace {

constexpr char kName[] = "plan";
constexpr char kDataset[] = "store";

std::string Text(const batch::ExplainedPlan& plan) {
  std::string text;
  const auto line = [&](absl::string_view name, const auto&... value) {
    std::string padded(name);
    padded.resize(17, ' ');
    absl::StrAppend(&text, padded, value..., "\n");
  };
  line("drawings", plan.view_size);
  if (!plan.components.empty()) line("epoch", plan.epoch_size, " positions");
  line("steps per epoch", plan.steps_per_epoch);
  line("drawings a step", plan.step_drawings);
  line("bytes a batch", plan.batch_bytes);
  line("order plan", plan.start.plan_hash);
  for (const batch::PlannedComponent& part : plan.components) {
    line("", part.name, ": ", part.drawings, " drawings, ", part.positions,
         " positions");
  }
  for (const batch::PlannedStep& step : plan.steps) {
    line(absl::StrCat("step ", step.step.number), "epoch ", step.step.epoch,
         ", position ", step.step.first, ", ", step.bytes, " bytes, cursor ",
         step.step.after.epoch, ":", step.step.after.position, "\n  ",
         absl::StrJoin(step.indices, " "));
  }
  return text;
}

Json JsonOf(const batch::ExplainedPlan& plan) {
  Json steps = Json::array();
  for (const batch::PlannedStep& step : plan.steps) {
    steps.push_back({{"epoch", step.step.epoch},
                     {"step", step.step.number},
                     {"position", step.step.first},
                     {"valid_rows", step.step.valid_rows},
                     {"bytes", step.bytes},
                     {"after",
                      {{"epoch", step.step.after.epoch},
                       {"position", step.step.after.position}}},
                     {"index", step.indices},
                     {"occurrence", step.occurrences}});
  }
  return {{"fingerprint", plan.start.fingerprint},
          {"plan_hash", plan.start.plan_hash},
          {"view_drawings", plan.view_size},
          {"epoch_drawings", plan.epoch_size},
          {"steps_per_epoch", plan.steps_per_epoch},
          {"step_drawings", plan.step_drawings},
          {"batch_bytes", plan.batch_bytes},
          {"steps", steps}};
}

ServerSize SizeOf(const PlanFlags& flags, const Plan& plan,
                  const batch::ExplainedPlan& explained,
                  const store::StoreInfo& store) {
  TrainerLoad load;
  load.trainers = flags.size;
  load.drawings_a_second = flags.rate;
  load.draw = flags.codec != "none";
  load.pixels =
      plan.delivery.image.has_value()
          ? uint64_t{plan.delivery.image->height} * plan.delivery.image->width
          : 0;
  load.batch_bytes = explained.batch_bytes;
  load.batch = plan.delivery.batch_size;
  load.store_bytes = store.bytes_on_disk;
  return ServerSizeFor(load, UsableCpus());
}

std::string Text(const ServerSize& size) {
  return absl::StrFormat(
      "for the trainers: %.1f cores, --memory %d MiB, %d MiB beside it for the "
      "store,\n%.1f MB/s; %d replicas of %d cores, one of them to roll out "
      "with\n",
      size.cores, (size.memory >> 20U) + 1, (size.store_in_memory >> 20U) + 1,
      size.network / 1e6, size.replicas, UsableCpus());
}

Json JsonOf(const ServerSize& size) {
  return {{"cores", size.cores},
          {"memory_bytes", size.memory},
          {"store_bytes", size.store_in_memory},
          {"network_bytes_per_second", size.network},
          {"cores_of_a_replica", UsableCpus()},
          {"replicas", size.replicas}};
}

absl::Status Keep(const std::vector<int64_t>& keys, batch::Engine* engine,
                  std::string* hash) {
  if (keys.empty()) return absl::OkStatus();
  absl::StatusOr<batch::KeptKeys> kept = engine->AddKeys(keys);
  if (kept.ok()) *hash = kept->hash;
  return kept.status();
}

int RunPlan(const PlanFlags& flags) {
  absl::StatusOr<Plan> plan = PlanOf(flags);
  if (!plan.ok()) return Fail(kName, plan.status(), kExitUsage);
  const absl::StatusOr<ViewKeys> keys = KeysOf(flags.view);
  if (!keys.ok()) return Fail(kName, keys.status(), kExitUsage);
  absl::StatusOr<std::shared_ptr<const store::StoreReader>> store =
      store::StoreReader::Open(flags.store);
  if (!store.ok()) return Fail(kName, store.status(), kExitFailed);
  absl::StatusOr<std::unique_ptr<batch::Engine>> engine =
      batch::Engine::Create(batch::EngineOptions());
  if (!engine.ok()) return Fail(kName, engine.status(), kExitFailed);
  absl::Status added = (*engine)->AddDataset(kDataset, *store);
  added.Update(Keep(keys->include, engine->get(), &plan->view.include_keys));
  added.Update(Keep(keys->exclude, engine->get(), &plan->view.exclude_keys));
  if (!added.ok()) return Fail(kName, added, kExitFailed);
  const absl::StatusOr<batch::ExplainedPlan> explained = (*engine)->Explain(
      *plan, {flags.epoch, flags.step, flags.steps, flags.all_ranks});
  if (!explained.ok()) return Fail(kName, explained.status(), kExitFailed);
  Json json = JsonOf(*explained);
  std::string text = Text(*explained);
  if (flags.size > 0) {
    const ServerSize size = SizeOf(flags, *plan, *explained, (*store)->info());
    if (flags.json) {
      json["size"] = JsonOf(size);
    } else {
      text += Text(size);
    }
  }
  if (flags.json) text = JsonLine(json);
  std::fputs(text.c_str(), stdout);
  return kExitDone;
}

}  // namespace

void AddPlanCommand(CLI::App& app, int* exit_code) {
  auto flags = std::make_shared<PlanFlags>();
  CLI::App* command = app.add_subcommand(
      kName, "Shows what a stream of a store delivers: steps, bytes, drawings");
  const auto option = [&](const char* name, auto* value, const char* help) {
    CLI::Option* const added = command->add_option(name, *value, help);
    using Value = std::remove_reference_t<decltype(*value)>;
    if constexpr (std::is_unsigned_v<Value>) {
      added->transform(WholeNumber(std::numeric_limits<Value>::max()));
    }
    return added->capture_default_str();
  };
  option("STORE", &flags->store, "The store")->required();
  AddViewFlags(command, &flags->view);
  option("--seed", &flags->plan.order.seed, "Of the shuffle");
  option("--shuffle", &flags->shuffle, "full, none or window:N");
  option("--sampling", &flags->sampling,
         "uniform, balanced:ALPHA or weights:W,W,... one a class");
  option("--image", &flags->image, "HEIGHTxWIDTH in pixels; left out: none");
  DeliverySpec& delivery = flags->plan.delivery;
  delivery.columns = {"label"};
  option("--columns", &delivery.columns, "Columns of a batch")->delimiter(',');
  option("--batch", &delivery.batch_size, "Drawings a rank and step");
  option("--world", &delivery.world, "Ranks");
  option("--rank", &delivery.rank, "Whose batches");
  option("--tail", &flags->tail, "drop, partial or pad");
  option("--epoch", &flags->epoch, "The epoch of the steps listed");
  option("--step", &flags->step, "The first step listed");
  option("--steps", &flags->steps, "How many steps to list");
  option("--size", &flags->size,
         "Trainers like this one; says what servers they take");
  command
      ->add_option("--rate", flags->rate,
                   "Drawings a second that each of them takes")
      ->check(CLI::Range(1.0, 1e9))
      ->capture_default_str();
  command
      ->add_option("--codec", flags->codec,
                   "auto: they draw by themselves; none: the server draws")
      ->check(CLI::IsMember({"auto", "strokes", "none"}))
      ->capture_default_str();
  command->add_flag("--all-ranks", flags->all_ranks,
                    "List the drawings of all ranks, rank by rank");
  command->add_flag("--json", flags->json, "For programs");
  command->footer(
      "Example:\n"
      "  inkstream plan drawings.ink --batch 256 --world 4 --image 128x128\n"
      "  inkstream plan drawings.ink --seed 7 --epoch 2 --step 500 --steps 1\n"
      "  inkstream plan drawings.ink --image 128x128 --size 16 --rate 5000");
  command->callback([flags, exit_code] { *exit_code = RunPlan(*flags); });
}

}  // namespace inkstream::app
