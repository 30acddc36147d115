// `inkstream generate`: synthetic drawings in Quick, Draw!'s own formats.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/app/commands/commands.h"
#include "server/app/commands/progress_display.h"
#include "server/app/failure.h"
#include "server/app/flags/command_line.h"
#include "server/app/flags/number_flags.h"
#include "server/app/interrupt.h"
#include "server/base/machine_limits.h"
#include "server/ingest/generate/class_catalog.h"
#include "server/ingest/generate/generate_job.h"

namespace inkstream::app {
namespace {

constexpr char kName[] = "generate";

struct GenerateFlags {
  ingest::GenerateOptions options;
  std::string format = "ndjson";
};

int RunGenerate(const GenerateFlags& flags) {
  ingest::GenerateOptions options = flags.options;
  const size_t offered = ingest::ClassCatalog().size();
  if (options.classes > offered) {
    return Fail(
        kName,
        absl::InvalidArgumentError(absl::StrCat(
            "--classes is ", options.classes, ", the limit is ", offered)),
        kExitUsage);
  }
  if (flags.format == "bin" && options.output == "-") {
    return Fail(kName,
                absl::InvalidArgumentError(
                    "--format bin is one file a class: name a directory with "
                    "-o, not -"),
                kExitUsage);
  }
  Interrupt::Install();
  ProgressDisplay display(kName);
  if (options.classes == 0) options.classes = offered;
  if (options.threads == 0) options.threads = UsableCpus();
  options.format = ingest::ParseOutputFormat(flags.format);
  options.interrupted = [] { return Interrupt::requested(); };
  options.progress = [&](uint64_t written) {
    display.Update({written, written, options.drawings, false});
  };
  const absl::Status status = ingest::RunGenerate(options);
  display.Clear();
  if (!status.ok()) return Fail(kName, status, kExitFailed);
  const double seconds = std::max(display.seconds(), 1e-6);
  std::fprintf(
      stderr, "Generated %s drawings of %s classes in %.1f s (%s/s)\n",
      WithThousands(options.drawings).c_str(),
      WithThousands(options.classes).c_str(), seconds,
      WithThousands(static_cast<uint64_t>(
                        static_cast<double>(options.drawings) / seconds))
          .c_str());
  return kExitDone;
}

}  // namespace

void AddGenerateCommand(CLI::App& app, int* exit_code) {
  auto flags = std::make_shared<GenerateFlags>();
  flags->options.threads = 0;
  CLI::App* command = app.add_subcommand(
      kName, "Writes synthetic drawings in Quick, Draw!'s own formats");
  command->add_option("--drawings", flags->options.drawings, "How many")
      ->transform(WholeNumber())
      ->required();
  command
      ->add_option("--seed", flags->options.seed,
                   "Same seed, same bytes, whatever the number of threads")
      ->transform(WholeNumber())
      ->capture_default_str();
  command
      ->add_option("--classes", flags->options.classes,
                   "How many classes, in turn; 0: all")
      ->transform(WholeNumber())
      ->capture_default_str();
  command
      ->add_option("--format", flags->format,
                   "ndjson, bin (a directory of WORD.bin) or csv (Kaggle's)")
      ->check(CLI::IsMember({"ndjson", "bin", "csv"}))
      ->capture_default_str();
  command
      ->add_option("--threads", flags->options.threads, "0: one a usable core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command
      ->add_option("-o,--output", flags->options.output,
                   "FILE (.gz and .zst are compressed), DIR (one file a "
                   "class) or - (standard output)")
      ->required();
  command->footer(
      "Example:\n"
      "  inkstream generate --drawings 20000 --seed 1 -o drawings.ndjson\n"
      "  inkstream generate --drawings 20000 --format bin -o drawings/");
  command->callback([flags, exit_code] { *exit_code = RunGenerate(*flags); });
}

}  // namespace inkstream::app
