#include "server/app/export_command.h"

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "server/app/command_line.h"
#include "server/app/failure.h"
#include "server/app/interrupt.h"
#include "server/app/progress_display.h"
#include "server/batch/machine_limits.h"
#include "server/ingest/byte_sink.h"
#include "server/ingest/export_job.h"
#include "server/store/store_reader.h"

namespace inkstream::app {
namespace {

constexpr char kName[] = "export";

struct ExportFlags {
  std::string store;
  std::string output;
  int threads = 0;
};

absl::Status Export(const ExportFlags& flags, ProgressDisplay* display,
                    uint64_t* drawings) {
  absl::StatusOr<std::shared_ptr<const store::StoreReader>> reader =
      store::StoreReader::Open(flags.store);
  if (!reader.ok()) return reader.status();
  absl::StatusOr<std::unique_ptr<ingest::ByteSink>> sink =
      ingest::OpenSink(flags.output);
  if (!sink.ok()) return sink.status();
  *drawings = (*reader)->size();
  ingest::ExportOptions options;
  options.threads = flags.threads > 0 ? flags.threads : batch::UsableCpus();
  options.interrupted = [] { return Interrupt::requested(); };
  options.progress = [&](uint64_t written) {
    display->Update({written, written, *drawings, false});
  };
  absl::Status status = ingest::RunExport(**reader, options, sink->get());
  return status.ok() ? (*sink)->Close() : status;
}

int RunExport(const ExportFlags& flags) {
  Interrupt::Install();
  ProgressDisplay display(kName);
  uint64_t drawings = 0;
  const absl::Status status = Export(flags, &display, &drawings);
  display.Clear();
  if (!status.ok()) return Fail(kName, status, kExitFailed);
  std::fprintf(stderr, "Exported %s drawings in %.1f s\n",
               WithThousands(drawings).c_str(), display.seconds());
  return kExitDone;
}

}  // namespace

void AddExportCommand(CLI::App& app, int* exit_code) {
  auto flags = std::make_shared<ExportFlags>();
  CLI::App* command = app.add_subcommand(
      kName, "Gives back what a store was made from, as simplified NDJSON");
  command->add_option("STORE", flags->store, "The store")->required();
  command
      ->add_option("-o,--output", flags->output,
                   "FILE (.gz and .zst are compressed) or - (standard output)")
      ->required();
  command->add_option("--threads", flags->threads, "0: one a usable core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command->footer(
      "Example:\n"
      "  inkstream export drawings.ink -o - | head -n 3");
  command->callback([flags, exit_code] { *exit_code = RunExport(*flags); });
}

}  // namespace inkstream::app
