// `inkstream export`: a store as the NDJSON that went in.

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "server/app/commands/commands.h"
#include "server/app/commands/progress_display.h"
#include "server/app/failure.h"
#include "server/app/flags/command_line.h"
#include "server/app/interrupt.h"
#include "server/base/machine_limits.h"
#include "server/ingest/export/byte_sink.h"
#include "server/ingest/export/export_job.h"
#include "server/store/store_reader.h"

namespace inkstream::app {
namespace {

constexpr char kName[] = "export";

struct ExportFlags {
  std::string store;
  std::string output;
  std::string format = "ndjson";
  int threads = 0;
};

absl::Status Export(const ExportFlags& flags, ProgressDisplay* display,
                    uint64_t* drawings) {
  absl::StatusOr<std::shared_ptr<const store::StoreReader>> reader =
      store::StoreReader::Open(flags.store);
  if (!reader.ok()) return reader.status();
  *drawings = (*reader)->size();
  ingest::ExportOptions options;
  options.format = *ingest::ParseOutputFormat(flags.format);
  options.threads = flags.threads > 0 ? flags.threads : UsableCpus();
  options.interrupted = [] { return Interrupt::requested(); };
  options.progress = [&](uint64_t written) {
    display->Update({written, written, *drawings, false});
  };
  if (flags.format == "bin") {
    return ingest::RunExportByWord(**reader, options, flags.output);
  }
  absl::StatusOr<std::unique_ptr<ingest::ByteSink>> sink =
      ingest::OpenSink(flags.output);
  if (!sink.ok()) return sink.status();
  absl::Status status = ingest::RunExport(**reader, options, sink->get());
  return status.ok() ? (*sink)->Close() : status;
}

int RunExport(const ExportFlags& flags) {
  if (flags.format == "bin" && flags.output == "-") {
    return Fail(kName,
                absl::InvalidArgumentError(
                    "--format bin is one file a word: name a directory with "
                    "-o, not -"),
                kExitUsage);
  }
  Interrupt::Install();
  ProgressDisplay display(kName);
  uint64_t drawings = 0;
  const absl::Status status = Export(flags, &display, &drawings);
  display.Clear();
  if (!status.ok()) {
    return Fail(kName, status,
                absl::IsAlreadyExists(status) ? kExitUsage : kExitFailed);
  }
  std::fprintf(stderr, "Exported %s drawings in %.1f s\n",
               WithThousands(drawings).c_str(), display.seconds());
  return kExitDone;
}

}  // namespace

void AddExportCommand(CLI::App& app, int* exit_code) {
  auto flags = std::make_shared<ExportFlags>();
  CLI::App* command =
      app.add_subcommand(kName, "Gives back what a store was made from");
  command->add_option("STORE", flags->store, "The store")->required();
  command
      ->add_option("-o,--output", flags->output,
                   "FILE (.gz and .zst are compressed), - (standard output); "
                   "for bin a DIR that is not there yet")
      ->required();
  command
      ->add_option("--format", flags->format,
                   "ndjson (raw drawings with their times), bin (WORD.bin "
                   "each; carries whole seconds and needs every column) or "
                   "csv (Kaggle's); neither of the two carries splits")
      ->check(CLI::IsMember({"ndjson", "bin", "csv"}))
      ->capture_default_str();
  command->add_option("--threads", flags->threads, "0: one a usable core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command->footer(
      "Example:\n"
      "  inkstream export drawings.ink -o - | head -n 3\n"
      "  inkstream export drawings.ink --format bin -o words/");
  command->callback([flags, exit_code] { *exit_code = RunExport(*flags); });
}

}  // namespace inkstream::app
