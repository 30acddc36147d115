#include "server/app/ingest_command.h"

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
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
#include "server/ingest/input_shard.h"
#include "server/ingest/job_identity.h"
#include "server/store/class_names.h"
#include "server/store/file_sync.h"
#include "server/store/format.h"
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
  uint64_t segment_drawings = store::kUsualSegmentDrawings;
  std::string split_by;
  std::vector<std::string> split_lists;
  std::string classes_file;
  std::string duplicates = "keep";
  std::string shard;
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

int SayComplete(const IngestFlags& flags) {
  std::fprintf(stderr, "%s is complete: there is nothing to resume\n",
               flags.store.c_str());
  ingest::IngestReport report;
  absl::StatusOr<std::shared_ptr<const store::StoreReader>> reader =
      store::StoreReader::Open(flags.store);
  if (!reader.ok()) return Fail(kName, reader.status(), kExitFailed);
  report.fingerprint = (*reader)->info().fingerprint;
  report.read = report.kept = report.taken_over = (*reader)->info().drawings;
  return Summarize(flags, 0, std::move(report));
}

// Everything that decides what is stored, in the order it is compared.
std::vector<std::pair<std::string, std::string>> JobOptions(
    const IngestFlags& flags) {
  return {{"name", flags.name},
          {"split", flags.split},
          {"split-by", flags.split_by},
          {"split-list", absl::StrJoin(flags.split_lists, " ")},
          {"keep", flags.keep},
          {"format", flags.format},
          {"word", flags.word},
          {"classes-file", flags.classes_file},
          {"duplicates", flags.duplicates},
          {"shard", flags.shard},
          {"segment-drawings", absl::StrCat(flags.segment_drawings)},
          {"append", flags.append ? "yes" : "no"}};
}

constexpr char kJobName[] = "JOB";

// An interrupted ingest is gone on with only by the same one; the text says
// what differs.
absl::Status CheckInterrupted(const IngestFlags& flags,
                              const std::string& job) {
  std::string directory = flags.store;
  while (directory.size() > 1 && directory.back() == '/') directory.pop_back();
  absl::StrAppend(&directory, store::kPartialSuffix);
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

absl::Status ReadSplitRules(const IngestFlags& flags,
                            ingest::SplitRules* rules) {
  if (!flags.split_by.empty()) {
    if (absl::Status s = rules->SetRule(flags.split_by); !s.ok()) return s;
  }
  for (const std::string& list : flags.split_lists) {
    const std::pair<std::string, std::string> parts =
        absl::StrSplit(list, absl::MaxSplits('=', 1));
    absl::Status s = rules->AddList(parts.first, parts.second);
    if (!s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status ReadClasses(const std::string& path,
                         std::set<std::string>* classes) {
  if (path.empty()) return absl::OkStatus();
  std::ifstream file(path);
  if (!file) {
    return absl::InvalidArgumentError(
        absl::StrCat("--classes-file: cannot read ", path));
  }
  std::string line;
  while (std::getline(file, line)) {
    const absl::string_view word = absl::StripAsciiWhitespace(line);
    if (!word.empty()) classes->insert(store::ClassOfWord(word));
  }
  if (!classes->empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "--classes-file: ", path, " has no words, expected one a line"));
}

absl::Status FillOptions(const IngestFlags& flags,
                         ingest::IngestOptions* options) {
  absl::StatusOr<ingest::MaxErrors> max_errors =
      ingest::MaxErrors::Parse(flags.max_errors);
  if (!max_errors.ok()) return max_errors.status();
  options->max_errors = *max_errors;
  if (!flags.format.empty()) {
    options->format = *ingest::ParseInputFormat(flags.format);
  }
  options->parser.only_raw = flags.format == "raw";
  options->word = flags.word;
  options->parser.keep_raw = flags.keep == "raw";
  options->resume = flags.resume;
  if (absl::Status s = ReadSplitRules(flags, &options->splits); !s.ok()) {
    return s;
  }
  if (absl::Status s = ReadClasses(flags.classes_file, &options->classes);
      !s.ok()) {
    return s;
  }
  absl::StatusOr<std::vector<ingest::InputFile>> inputs =
      ingest::ListInputs(flags.inputs);
  if (!inputs.ok()) return inputs.status();
  options->inputs = *std::move(inputs);
  if (flags.shard.empty()) return CheckErrorsPath(flags.errors);
  absl::StatusOr<ingest::Shard> shard = ingest::ParseShard(flags.shard);
  if (!shard.ok()) return shard.status();
  inputs = ingest::ShardInputs(options->inputs, *shard, options->format);
  if (!inputs.ok()) return inputs.status();
  options->inputs = *std::move(inputs);
  options->may_be_empty = true;
  return CheckErrorsPath(flags.errors);
}

store::WriterOptions WriterOptionsOf(const IngestFlags& flags,
                                     const ingest::IngestOptions& options,
                                     std::vector<store::SplitFraction> splits,
                                     const std::string& job) {
  store::WriterOptions writer;
  writer.name = flags.name;
  writer.splits = std::move(splits);
  writer.listed_by = options.splits.origin();
  writer.threads = options.threads;
  writer.append = flags.append;
  writer.resume = flags.resume;
  writer.segment_drawings = flags.segment_drawings;
  writer.job = ingest::JobDigest(job);
  writer.classes.assign(options.classes.begin(), options.classes.end());
  writer.duplicates = flags.duplicates == "first"   ? store::Duplicates::kFirst
                      : flags.duplicates == "error" ? store::Duplicates::kError
                                                    : store::Duplicates::kKeep;
  return writer;
}

// With --append, words are those of a store whose classes are fixed.
absl::Status TakeFixedClasses(const IngestFlags& flags,
                              ingest::IngestOptions* options) {
  if (!flags.append || !options->classes.empty()) return absl::OkStatus();
  absl::StatusOr<std::shared_ptr<const store::StoreReader>> reader =
      store::StoreReader::Open(flags.store);
  if (!reader.ok()) return reader.status();
  const store::StoreInfo& info = (*reader)->info();
  if (info.fixed_classes) {
    options->classes.insert(info.classes.begin(), info.classes.end());
  }
  return absl::OkStatus();
}

int RunIngest(const IngestFlags& flags) {
  ingest::IngestOptions options;
  absl::StatusOr<std::vector<store::SplitFraction>> splits =
      ParseSplits(flags.split);
  if (!splits.ok()) return Misused(splits.status());
  if (absl::Status s = FillOptions(flags, &options); !s.ok()) return Misused(s);

  Interrupt::Install();
  options.threads = flags.threads > 0 ? flags.threads : batch::UsableCpus();
  const std::string job =
      ingest::DescribeJob(JobOptions(flags), options.inputs);
  if (flags.resume) {
    const absl::StatusOr<bool> complete =
        store::StoreWriter::IsComplete(flags.store, ingest::JobDigest(job));
    if (!complete.ok()) return Fail(kName, complete.status(), kExitFailed);
    if (*complete) return SayComplete(flags);
  }
  if (absl::Status s = CheckInterrupted(flags, job); !s.ok()) return Misused(s);
  if (absl::Status s = TakeFixedClasses(flags, &options); !s.ok()) {
    return Misused(s);
  }
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
    if (access(directory.c_str(), F_OK) == 0) {
      std::fprintf(stderr, "%s drawings are kept in %s: go on with --resume\n",
                   WithThousands(report.kept).c_str(), directory.c_str());
    }
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
  command
      ->add_option("--split-by", flags->split_by,
                   "Splits named by rule: file, directory, recognized")
      ->check(CLI::IsMember({"file", "directory", "recognized"}));
  command->add_option("--split-list", flags->split_lists,
                      "NAME=FILE: the key_ids in FILE, one a line, are split "
                      "NAME; may be repeated");
  command->add_option("--classes-file", flags->classes_file,
                      "The store's classes, one a line; other words are bad "
                      "drawings");
  command
      ->add_option("--duplicates", flags->duplicates,
                   "Drawings whose key_id came before: keep and count, first "
                   "(leave them out), error")
      ->check(CLI::IsMember({"keep", "first", "error"}))
      ->capture_default_str();
  command->add_option("--shard", flags->shard,
                      "I/N: only the I-th (from 0) of N runs of the inputs; "
                      "then inkstream merge");
  command
      ->add_option("--segment-drawings", flags->segment_drawings,
                   "Drawings in one file of the store at most; files that are "
                   "finished are not written again after an interrupt")
      ->check(CLI::Range(uint64_t{1}, store::kSegmentDrawings))
      ->capture_default_str();
  command->add_flag("--resume", flags->resume,
                    "Go on with an interrupted ingest, begin where there is "
                    "none");
  command->add_flag("--append", flags->append,
                    "Add to a store that exists: its next generation");
  command->add_flag("--json", flags->json,
                    "The summary on standard output, as JSON");
  command->footer(
      "Example:\n"
      "  inkstream ingest cat.ndjson dog.ndjson.gz --store animals.ink "
      "--split train=0.9,valid=0.1");
  command->callback([flags, exit_code] { *exit_code = RunIngest(*flags); });
}

}  // namespace inkstream::app
