// inkstream merge: several stores into one.

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "server/app/commands/commands.h"
#include "server/app/commands/progress_display.h"
#include "server/app/failure.h"
#include "server/app/flags/command_line.h"
#include "server/app/interrupt.h"
#include "server/base/json.h"
#include "server/base/machine_limits.h"
#include "server/store/store_merger.h"
#include "server/store/store_reader.h"

namespace inkstream::app {
namespace {

constexpr char kName[] = "merge";

struct MergeFlags {
  std::string out;
  std::vector<std::string> stores;
  std::string duplicates = "keep";
  int threads = 0;
  bool json = false;
};

int RunMerge(const MergeFlags& flags) {
  Interrupt::Install();
  ProgressDisplay display(kName);
  store::MergeOptions options;
  options.duplicates = flags.duplicates == "first"   ? store::Duplicates::kFirst
                       : flags.duplicates == "error" ? store::Duplicates::kError
                                                     : store::Duplicates::kKeep;
  options.threads = flags.threads > 0 ? flags.threads : UsableCpus();
  options.interrupted = Interrupt::flag();
  options.progress = [&](uint64_t done, uint64_t total) {
    display.Update({0, done, total, true});
  };
  const absl::StatusOr<std::string> fingerprint =
      store::MergeStores(flags.out, flags.stores, options);
  display.Clear();
  if (!fingerprint.ok()) {
    const bool misused = absl::IsAlreadyExists(fingerprint.status());
    return Fail(kName, fingerprint.status(),
                misused ? kExitUsage : kExitFailed);
  }
  const absl::StatusOr<std::shared_ptr<const store::StoreReader>> merged =
      store::StoreReader::Open(flags.out);
  if (!merged.ok()) return Fail(kName, merged.status(), kExitFailed);
  const store::StoreInfo& info = (*merged)->info();
  std::fprintf(stderr,
               "Merged %s drawings of %s classes in %s\n"
               "  duplicates: %s kept, %s dropped\n"
               "  fingerprint %s\n",
               WithThousands(info.drawings).c_str(),
               WithThousands(info.classes.size()).c_str(), flags.out.c_str(),
               WithThousands(info.duplicates).c_str(),
               WithThousands(info.dropped).c_str(), fingerprint->c_str());
  if (flags.json) {
    std::fputs(JsonLine({{"store", flags.out},
                         {"drawings", info.drawings},
                         {"fingerprint", *fingerprint},
                         {"duplicates", info.duplicates},
                         {"dropped", info.dropped}})
                   .c_str(),
               stdout);
  }
  return kExitDone;
}

}  // namespace

void AddMergeCommand(CLI::App& app, int* exit_code) {
  auto flags = std::make_shared<MergeFlags>();
  CLI::App* command = app.add_subcommand(
      kName, "Makes one store of several, such as those of ingest --shard");
  command->add_option("OUT", flags->out, "The store to make")->required();
  command
      ->add_option("STORE", flags->stores,
                   "The stores, in the order that their drawings are to have")
      ->required();
  command
      ->add_option("--duplicates", flags->duplicates,
                   "Drawings whose key_id came before: keep and count, first "
                   "(leave them out), error")
      ->check(CLI::IsMember({"keep", "first", "error"}))
      ->capture_default_str();
  command->add_option("--threads", flags->threads, "0: one a usable core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command->add_flag("--json", flags->json,
                    "The summary on standard output, as JSON");
  command->footer(
      "Example:\n"
      "  inkstream ingest data --store part-0 --shard 0/2\n"
      "  inkstream ingest data --store part-1 --shard 1/2\n"
      "  inkstream merge all.ink part-0 part-1");
  command->callback([flags, exit_code] { *exit_code = RunMerge(*flags); });
}

}  // namespace inkstream::app
