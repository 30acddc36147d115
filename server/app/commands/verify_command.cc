// `inkstream verify`: reads every value of a store.

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/app/commands/commands.h"
#include "server/app/commands/progress_display.h"
#include "server/app/failure.h"
#include "server/app/flags/command_line.h"
#include "server/app/interrupt.h"
#include "server/app/serve/guarded_child.h"
#include "server/base/json.h"
#include "server/store/store_verifier.h"

namespace inkstream::app {
namespace {

constexpr char kName[] = "verify";

struct VerifyFlags {
  std::string store;
  uint64_t memory_mib = 1024;
  bool json = false;
};

std::string ReportJson(const store::VerifyReport& report) {
  return JsonLine({{"good", report.problems.empty()},
                   {"drawings", report.drawings},
                   {"damaged", report.damaged},
                   {"strokes", report.strokes},
                   {"points", report.points},
                   {"bytes_on_disk", report.bytes_on_disk},
                   {"fingerprint", report.fingerprint},
                   {"problems", report.problems}});
}

int VerifyHere(const VerifyFlags& flags) {
  ProgressDisplay display(kName);
  const absl::StatusOr<store::VerifyReport> report = store::VerifyStore(
      flags.store,
      [&](uint64_t done, uint64_t total) {
        display.Update({done, done, total, false});
      },
      Interrupt::flag());
  display.Clear();
  if (!report.ok()) return Fail(kName, report.status(), kExitFailed);
  if (flags.json) std::fputs(ReportJson(*report).c_str(), stdout);
  if (!report->problems.empty()) {
    for (const std::string& problem : report->problems) {
      std::fprintf(stderr, "%s\n", problem.c_str());
    }
    return Fail(
        kName,
        absl::DataLossError(absl::StrCat(
            flags.store, " is damaged: ", report->damaged, " of ",
            report->drawings + report->damaged, " drawings cannot be read")),
        kExitFailed);
  }
  std::fprintf(stderr, "%s is good: %s drawings, fingerprint %s, %.1f s\n",
               flags.store.c_str(), WithThousands(report->drawings).c_str(),
               report->fingerprint.c_str(), display.seconds());
  return kExitDone;
}

// What a damaged store does to the process that reads it is its damage.
int RunVerify(const VerifyFlags& flags) {
  Interrupt::Install();
  const ChildEnd end = RunInChild(flags.memory_mib << 20U,
                                  [&flags] { return VerifyHere(flags); });
  if (end.death.empty()) return end.exit_code;
  const std::string problem = absl::StrCat(
      flags.store, " is damaged: reading it ended with ", end.death);
  if (flags.json) {
    store::VerifyReport report;
    report.problems.push_back(problem);
    std::fputs(ReportJson(report).c_str(), stdout);
  }
  return Fail(kName, absl::DataLossError(problem), kExitFailed);
}

}  // namespace

void AddVerifyCommand(CLI::App& app, int* exit_code) {
  auto flags = std::make_shared<VerifyFlags>();
  CLI::App* command = app.add_subcommand(
      kName, "Reads every value of a store and recomputes its fingerprint");
  command->add_option("STORE", flags->store, "The store")->required();
  command
      ->add_option("--memory-mib", flags->memory_mib,
                   "Memory that reading may take; what it takes more is damage")
      ->check(CLI::Range(64, 1 << 20))
      ->capture_default_str();
  command->add_flag("--json", flags->json,
                    "The report on standard output, as JSON");
  command->footer("Example:\n  inkstream verify drawings.ink");
  command->callback([flags, exit_code] { *exit_code = RunVerify(*flags); });
}

}  // namespace inkstream::app
