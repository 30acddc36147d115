// `inkstream ingest`: drawings from files into a store.

#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/app/commands/commands.h"
#include "server/app/commands/ingest_summary.h"
#include "server/app/commands/progress_display.h"
#include "server/app/failure.h"
#include "server/app/flags/command_line.h"
#include "server/app/flags/ingest_flags.h"
#include "server/app/interrupt.h"
#include "server/base/machine_limits.h"
#include "server/ingest/export/byte_sink.h"
#include "server/ingest/ingest_job.h"
#include "server/ingest/resume_point.h"
#include "server/store/generation/file_sync.h"
#include "server/store/generation/staging_directory.h"
#include "server/store/store_reader.h"
#include "server/store/store_writer.h"

namespace inkstream::app {
namespace {

constexpr char kName[] = "ingest";

int Misused(const absl::Status& status) {
  return Fail(kName, status, kExitUsage);
}

absl::Status WriteErrors(const std::string& path,
                         const std::vector<std::string>& inputs,
                         const ingest::IngestReport& report) {
  absl::StatusOr<std::unique_ptr<ingest::ByteSink>> sink =
      ingest::OpenSink(path);
  if (!sink.ok()) return sink.status();
  absl::Status status =
      (*sink)->Write(report.errors.ToJson(report.read, report.kept, inputs));
  return status.ok() ? (*sink)->Close() : status;
}

int Summarize(const IngestFlags& flags, const IngestSummary& summary) {
  std::fputs(SummaryText(summary).c_str(), stderr);
  if (flags.json) std::fputs(SummaryJson(summary).c_str(), stdout);
  return kExitDone;
}

absl::StatusOr<store::StoreInfo> InfoOf(const std::string& store) {
  absl::StatusOr<std::shared_ptr<const store::StoreReader>> reader =
      store::StoreReader::Open(store);
  if (!reader.ok()) return reader.status();
  return (*reader)->info();
}

int SayComplete(const IngestFlags& flags, IngestSummary summary) {
  std::fprintf(stderr, "%s is complete: there is nothing to resume\n",
               flags.store.c_str());
  absl::StatusOr<store::StoreInfo> info = InfoOf(flags.store);
  if (!info.ok()) return Fail(kName, info.status(), kExitFailed);
  ingest::IngestReport& report = summary.report;
  report.fingerprint = info->fingerprint;
  report.read = report.kept = report.taken_over = info->drawings;
  summary.info = *std::move(info);
  return Summarize(flags, summary);
}

constexpr char kJobName[] = "JOB";

// An interrupted ingest is gone on with only by the same one; the text says
// what differs.
absl::Status CheckInterrupted(const IngestFlags& flags,
                              const std::string& job) {
  const std::string directory = store::PlaceOf(flags.store).directory;
  const absl::StatusOr<std::string> old = store::ReadWholeFile(
      absl::StrCat(directory, "/", kJobName), size_t{1} << 30U);
  if (!old.ok()) return absl::OkStatus();
  if (flags.resume) return ingest::CheckSameJob(*old, job, directory);
  std::fprintf(stderr,
               "inkstream ingest: %s of an interrupted ingest is begun anew "
               "(--resume would go on with it)\n",
               directory.c_str());
  return absl::OkStatus();
}

// Of the store that --append adds to; without it, of none. Its fixed classes
// are those of the words that come.
absl::StatusOr<store::StoreInfo> InfoBefore(const IngestFlags& flags,
                                            ingest::IngestOptions* options) {
  if (!flags.append) return store::StoreInfo();
  absl::StatusOr<store::StoreInfo> info = InfoOf(flags.store);
  // The writer has more to say of that.
  if (absl::IsNotFound(info.status())) return store::StoreInfo();
  if (info.ok() && info->fixed_classes && options->classes.empty()) {
    options->classes.insert(info->classes.begin(), info->classes.end());
  }
  return info;
}

// What the report cannot know before the store is finished: what was left out
// of it as repeated.
absl::Status TakeStored(const store::StoreInfo& before,
                        IngestSummary* summary) {
  absl::StatusOr<store::StoreInfo> info = InfoOf(summary->store);
  if (!info.ok()) return info.status();
  summary->report.kept = info->drawings - before.drawings;
  summary->dropped = info->dropped - before.dropped;
  summary->duplicates = info->duplicates - before.duplicates;
  summary->info = *std::move(info);
  return absl::OkStatus();
}

int RunIngest(const IngestFlags& flags) {
  ingest::IngestOptions options;
  absl::StatusOr<std::vector<store::SplitFraction>> splits =
      ParseSplits(flags.split);
  if (!splits.ok()) return Misused(splits.status());
  IngestSummary summary;
  summary.store = flags.store;
  summary.errors = flags.errors;
  absl::Status filled = FillOptions(flags, &options, &summary.passed_over);
  if (!filled.ok()) return Misused(filled);
  for (const ingest::InputFile& input : options.inputs) {
    summary.inputs.push_back(input.path);
  }

  Interrupt::Install();
  options.threads = flags.threads > 0 ? flags.threads : UsableCpus();
  const std::string job =
      ingest::DescribeJob(JobOptions(flags), options.inputs);
  if (flags.resume) {
    const absl::StatusOr<bool> complete =
        store::StoreWriter::IsComplete(flags.store, ingest::JobDigest(job));
    if (!complete.ok()) return Fail(kName, complete.status(), kExitFailed);
    if (*complete) return SayComplete(flags, std::move(summary));
  }
  if (absl::Status s = CheckInterrupted(flags, job); !s.ok()) return Misused(s);
  const absl::StatusOr<store::StoreInfo> before = InfoBefore(flags, &options);
  if (!before.ok()) return Misused(before.status());
  absl::StatusOr<std::unique_ptr<store::StoreWriter>> writer =
      store::StoreWriter::Create(
          flags.store,
          WriterOptionsOf(flags, options, *std::move(splits), job));
  if (!writer.ok()) {
    const absl::StatusCode code = writer.status().code();
    const bool misused = code == absl::StatusCode::kAlreadyExists ||
                         code == absl::StatusCode::kNotFound ||
                         code == absl::StatusCode::kInvalidArgument;
    return Fail(kName, writer.status(), misused ? kExitUsage : kExitFailed);
  }
  const std::string directory = (*writer)->directory();
  const absl::Status named =
      store::ReplaceFile(absl::StrCat(directory, "/", kJobName), job);
  if (!named.ok()) return Fail(kName, named, kExitFailed);

  ProgressDisplay display(kName);
  options.interrupted = [] { return Interrupt::requested(); };
  options.progress = [&](const ingest::IngestReport& report) {
    display.Update({report.read, report.bytes_read, report.bytes_total, true});
  };
  ingest::IngestReport& report = summary.report;
  absl::Status status = ingest::RunIngest(options, writer->get(), &report);
  summary.seconds = display.seconds();
  display.Clear();
  if (status.ok()) status = TakeStored(*before, &summary);
  if (!flags.errors.empty()) {
    const absl::Status written =
        WriteErrors(flags.errors, summary.inputs, report);
    if (!written.ok()) Fail(kName, written, kExitFailed);
  }
  if (status.ok()) return Summarize(flags, summary);
  const int code = Fail(kName, status, kExitFailed);
  if (access(directory.c_str(), F_OK) == 0) {
    std::fprintf(stderr, "%s drawings are kept in %s: go on with --resume\n",
                 WithThousands((*writer)->durable()).c_str(),
                 directory.c_str());
  } else if (absl::IsCancelled(status)) {
    std::fputs("No segment was finished, so nothing is kept\n", stderr);
  }
  std::fputs(ErrorsText(summary).c_str(), stderr);
  return code;
}

}  // namespace

void AddIngestCommand(CLI::App& app, int* exit_code) {
  auto flags = std::make_shared<IngestFlags>();
  CLI::App* command =
      app.add_subcommand(kName, "Puts drawings from files into a store");
  flags->AddTo(command);
  command->footer(
      "Example:\n"
      "  inkstream ingest cat.ndjson dog.ndjson.gz --store animals.ink "
      "--split train=0.9,valid=0.1");
  command->callback([flags, exit_code] { *exit_code = RunIngest(*flags); });
}

}  // namespace inkstream::app
