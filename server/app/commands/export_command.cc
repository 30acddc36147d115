// `inkstream export`: a store, or a view of it, in the form in which it came.

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "server/app/commands/commands.h"
#include "server/app/commands/progress_display.h"
#include "server/app/failure.h"
#include "server/app/flags/command_line.h"
#include "server/app/flags/view_flags.h"
#include "server/app/interrupt.h"
#include "server/base/machine_limits.h"
#include "server/batch/view/key_set.h"
#include "server/batch/view/resolved_view.h"
#include "server/batch/view/size_columns.h"
#include "server/ingest/export/byte_sink.h"
#include "server/ingest/export/export_job.h"
#include "server/store/store_reader.h"

namespace inkstream::app {
namespace {

constexpr char kName[] = "export";

struct ExportFlags {
  std::string store;
  ViewFlags view = {.view = {.split = "all"}};
  std::string output;
  std::string format = "ndjson";
  int threads = 0;
};

absl::StatusOr<std::shared_ptr<const batch::ResolvedView>> Resolve(
    const store::StoreReader& store, View view, ViewKeys keys, int threads) {
  batch::ViewInputs inputs;
  inputs.threads = threads;
  if (!keys.include.empty()) {
    inputs.include = std::make_shared<batch::KeySet>(std::move(keys.include));
    view.include_keys = inputs.include->hash();
  }
  if (!keys.exclude.empty()) {
    inputs.exclude = std::make_shared<batch::KeySet>(std::move(keys.exclude));
    view.exclude_keys = inputs.exclude->hash();
  }
  inputs.sizes = [&] { return batch::SizeColumns::Count(store, threads); };
  return batch::ResolvedView::Create(store, view, inputs);
}

absl::Status Export(const ExportFlags& flags, const View& view, ViewKeys keys,
                    ProgressDisplay* display, uint64_t* written) {
  absl::StatusOr<std::shared_ptr<const store::StoreReader>> reader =
      store::StoreReader::Open(flags.store);
  if (!reader.ok()) return reader.status();
  const int threads = flags.threads > 0 ? flags.threads : UsableCpus();
  absl::StatusOr<std::shared_ptr<const batch::ResolvedView>> resolved =
      Resolve(**reader, view, std::move(keys), threads);
  if (!resolved.ok()) return resolved.status();
  const ingest::ExportedDrawings drawings = {
      (*resolved)->size(),
      [&](uint64_t rank) { return (*resolved)->IndexOf(rank); }};
  ingest::ExportOptions options;
  options.format = ingest::ParseOutputFormat(flags.format);
  options.threads = threads;
  options.interrupted = [] { return Interrupt::requested(); };
  options.progress = [&](uint64_t so_far) {
    *written = so_far;
    display->Update({so_far, so_far, drawings.count, false});
  };
  if (options.format->by_word) {
    return ingest::RunExportByWord(**reader, drawings, options, flags.output);
  }
  absl::StatusOr<std::unique_ptr<ingest::ByteSink>> sink =
      ingest::OpenSink(flags.output);
  if (!sink.ok()) return sink.status();
  absl::Status status =
      ingest::RunExport(**reader, drawings, options, sink->get());
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
  const absl::StatusOr<View> view = ViewOf(flags.view);
  if (!view.ok()) return Fail(kName, view.status(), kExitUsage);
  absl::StatusOr<ViewKeys> keys = KeysOf(flags.view);
  if (!keys.ok()) return Fail(kName, keys.status(), kExitUsage);
  Interrupt::Install();
  ProgressDisplay display(kName);
  uint64_t written = 0;
  const absl::Status status =
      Export(flags, *view, *std::move(keys), &display, &written);
  display.Clear();
  if (!status.ok()) {
    return Fail(kName, status,
                absl::IsAlreadyExists(status) ? kExitUsage : kExitFailed);
  }
  std::fprintf(stderr, "Exported %s drawings in %.1f s\n",
               WithThousands(written).c_str(), display.seconds());
  return kExitDone;
}

}  // namespace

void AddExportCommand(CLI::App& app, int* exit_code) {
  auto flags = std::make_shared<ExportFlags>();
  CLI::App* command = app.add_subcommand(
      kName,
      "Gives back what a store was made from, or the drawings of a view");
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
  AddViewFlags(command, &flags->view);
  command->add_option("--threads", flags->threads, "0: one a usable core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command->footer(
      "Example:\n"
      "  inkstream export drawings.ink -o - | head -n 3\n"
      "  inkstream export drawings.ink --split valid --classes cat,dog \\\n"
      "      --where recognized==1 --exclude-keys bad.txt -o "
      "cleaned.ndjson.gz\n"
      "  inkstream export drawings.ink --format bin -o words/");
  command->callback([flags, exit_code] { *exit_code = RunExport(*flags); });
}

}  // namespace inkstream::app
