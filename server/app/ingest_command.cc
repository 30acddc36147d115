#include "server/app/ingest_command.h"

#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/app/command_line.h"
#include "server/app/failure.h"
#include "server/app/ingest_summary.h"
#include "server/app/interrupt.h"
#include "server/app/progress_display.h"
#include "server/app/split_flag.h"
#include "server/batch/machine_limits.h"
#include "server/ingest/byte_sink.h"
#include "server/ingest/ingest_job.h"
#include "server/ingest/input_list.h"
#include "server/store/store_reader.h"
#include "server/store/store_writer.h"

namespace inkstream::app {
namespace {

constexpr char kName[] = "ingest";

struct IngestFlags {
  std::vector<std::string> inputs;
  std::string store;
  std::string name = "quickdraw";
  std::string split;
  std::string keep = "simplified";
  std::string format;
  std::string word;
  std::string max_errors = "1%";
  std::string errors;
  int threads = 0;
  bool resume = false;
  bool append = false;
  bool json = false;
};

int Misused(const absl::Status& status) {
  return Fail(kName, status, kExitUsage);
}

absl::Status WriteErrors(const std::string& path,
                         const ingest::IngestOptions& options,
                         const ingest::IngestReport& report) {
  std::vector<std::string> names;
  for (const ingest::InputFile& input : options.inputs) {
    names.push_back(input.path);
  }
  absl::StatusOr<std::unique_ptr<ingest::ByteSink>> sink =
      ingest::OpenSink(path);
  if (!sink.ok()) return sink.status();
  absl::Status status =
      (*sink)->Write(report.errors.ToJson(report.read, report.kept, names));
  return status.ok() ? (*sink)->Close() : status;
}

// Where the errors file cannot be written is said before hours of work.
absl::Status CheckErrorsPath(const std::string& path) {
  if (path.empty()) return absl::OkStatus();
  absl::StatusOr<std::unique_ptr<ingest::ByteSink>> sink =
      ingest::OpenSink(path);
  return sink.status();
}

int Summarize(const IngestFlags& flags, double seconds,
              ingest::IngestReport report) {
  absl::StatusOr<std::shared_ptr<const store::StoreReader>> reader =
      store::StoreReader::Open(flags.store);
  if (!reader.ok()) return Fail(kName, reader.status(), kExitFailed);
  IngestSummary summary;
  summary.store = flags.store;
  summary.errors = flags.errors;
  summary.seconds = seconds;
  summary.report = std::move(report);
  summary.info = (*reader)->info();
  std::fputs(SummaryText(summary).c_str(), stderr);
  if (flags.json) std::fputs(SummaryJson(summary).c_str(), stdout);
  return kExitDone;
}

absl::Status CheckUnsupported(const IngestFlags& flags) {
  if (flags.append) {
    return absl::UnimplementedError(
        "--append is not offered yet; ingest all inputs into a new store");
  }
  if (flags.resume && access(flags.store.c_str(), F_OK) == 0) {
    return absl::AlreadyExistsError(absl::StrCat(
        flags.store, " is complete: there is nothing to --resume"));
  }
  return absl::OkStatus();
}

int RunIngest(const IngestFlags& flags) {
  ingest::IngestOptions options;
  absl::StatusOr<std::vector<store::SplitFraction>> splits =
      ParseSplits(flags.split);
  if (!splits.ok()) return Misused(splits.status());
  absl::StatusOr<ingest::MaxErrors> max_errors =
      ingest::MaxErrors::Parse(flags.max_errors);
  if (!max_errors.ok()) return Misused(max_errors.status());
  options.max_errors = *max_errors;
  if (!flags.format.empty()) {
    options.format = *ingest::ParseInputFormat(flags.format);
  }
  options.parser.only_raw = flags.format == "raw";
  options.word = flags.word;
  options.parser.keep_raw = flags.keep == "raw";
  absl::StatusOr<std::vector<ingest::InputFile>> inputs =
      ingest::ListInputs(flags.inputs);
  if (!inputs.ok()) return Misused(inputs.status());
  options.inputs = *std::move(inputs);
  if (absl::Status status = CheckErrorsPath(flags.errors); !status.ok()) {
    return Misused(status);
  }
  if (absl::Status status = CheckUnsupported(flags); !status.ok()) {
    return Misused(status);
  }

  Interrupt::Install();
  options.threads = flags.threads > 0 ? flags.threads : batch::UsableCpus();
  store::WriterOptions writer_options;
  writer_options.name = flags.name;
  writer_options.splits = *std::move(splits);
  writer_options.threads = options.threads;
  absl::StatusOr<std::unique_ptr<store::StoreWriter>> writer =
      store::StoreWriter::Create(flags.store, writer_options);
  if (!writer.ok()) {
    const absl::StatusCode code = writer.status().code();
    const bool misused = code == absl::StatusCode::kAlreadyExists ||
                         code == absl::StatusCode::kInvalidArgument;
    return Fail(kName, writer.status(), misused ? kExitUsage : kExitFailed);
  }

  ProgressDisplay display(kName);
  options.interrupted = [] { return Interrupt::requested(); };
  options.progress = [&](const ingest::IngestReport& report) {
    display.Update({report.read, report.bytes_read, report.bytes_total, true});
  };
  ingest::IngestReport report;
  const absl::Status status =
      ingest::RunIngest(options, writer->get(), &report);
  const double seconds = display.seconds();
  display.Clear();
  if (!flags.errors.empty()) {
    const absl::Status written = WriteErrors(flags.errors, options, report);
    if (!written.ok()) Fail(kName, written, kExitFailed);
  }
  if (!status.ok()) {
    const int code = Fail(kName, status, kExitFailed);
    if (report.errors.total() > 0) {
      std::fprintf(stderr, "See %s\n",
                   flags.errors.empty() ? "which with --errors FILE.json"
                                        : flags.errors.c_str());
    }
    return code;
  }
  return Summarize(flags, seconds, std::move(report));
}

}  // namespace

void AddIngestCommand(CLI::App& app, int* exit_code) {
  auto flags = std::make_shared<IngestFlags>();
  CLI::App* command =
      app.add_subcommand(kName, "Puts drawings from files into a store");
  command
      ->add_option("INPUT", flags->inputs,
                   "NDJSON (simplified or raw), the official .bin, Kaggle's "
                   "CSV, JSON arrays; plain, gzip or zstd, told apart by "
                   "content: files, directories, FIFOs, - (standard input)")
      ->required();
  command->add_option("--store", flags->store, "The store to make")->required();
  command->add_option("--name", flags->name, "What the dataset is called")
      ->capture_default_str();
  command
      ->add_option("--keep", flags->keep,
                   "What of raw drawings: simplified (as Google did) or raw "
                   "(every point and time as it is)")
      ->check(CLI::IsMember({"simplified", "raw"}))
      ->capture_default_str();
  command
      ->add_option("--format", flags->format,
                   "What every input is; none: its content decides")
      ->check(CLI::IsMember({"ndjson", "raw", "bin", "csv", "json"}));
  command->add_option("--word", flags->word,
                      "The word of .bin inputs; none: the file's stem");
  command->add_option("--split", flags->split,
                      "NAME=FRACTION,...; none: all in train");
  command
      ->add_option("--max-errors", flags->max_errors,
                   "Bad drawings that are borne: N or P%")
      ->capture_default_str();
  command->add_option("--errors", flags->errors,
                      "Where bad drawings are reported, as JSON");
  command->add_option("--threads", flags->threads, "0: one a usable core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command->add_flag("--resume", flags->resume,
                    "After an interrupted ingest; reads every input again");
  command->add_flag("--append", flags->append, "Not offered yet");
  command->add_flag("--json", flags->json,
                    "The summary on standard output, as JSON");
  command->footer(
      "Example:\n"
      "  inkstream ingest cat.ndjson dog.ndjson.gz --store animals.ink "
      "--split train=0.9,valid=0.1");
  command->callback([flags, exit_code] { *exit_code = RunIngest(*flags); });
}

}  // namespace inkstream::app
