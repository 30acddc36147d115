#include "server/app/flags/ingest_flags.h"

#include <fstream>
#include <memory>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "server/ingest/export/byte_sink.h"
#include "server/ingest/input/file_word.h"
#include "server/ingest/input/input_list.h"
#include "server/ingest/input/input_shard.h"
#include "server/ingest/resume_point.h"
#include "server/store/class_names.h"

namespace inkstream::app {
namespace {

// 0.7 + 0.2 + 0.1 is a little over 1 in binary.
constexpr double kRounding = 1e-9;

// Where the errors file cannot be written is said before hours of work.
absl::Status CheckErrorsPath(const std::string& path) {
  if (path.empty()) return absl::OkStatus();
  absl::StatusOr<std::unique_ptr<ingest::ByteSink>> sink =
      ingest::OpenSink(path);
  return sink.status();
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

}  // namespace

void IngestFlags::AddTo(CLI::App* command) {
  command
      ->add_option("INPUT", inputs,
                   "NDJSON (simplified or raw), the official .bin, Kaggle's "
                   "CSV, JSON arrays; plain, gzip or zstd, told apart by "
                   "content: files, directories, FIFOs, - (standard input)")
      ->required();
  command->add_option("--store", store, "The store to make")->required();
  command->add_option("--name", name, "What the dataset is called")
      ->capture_default_str();
  command
      ->add_option("--keep", keep,
                   "What of raw drawings: simplified (as Google did) or raw "
                   "(every point and time as it is)")
      ->check(CLI::IsMember({"simplified", "raw"}))
      ->capture_default_str();
  command
      ->add_option("--format", format,
                   "What every input is; none: its content decides")
      ->check(CLI::IsMember({"ndjson", "raw", "bin", "csv", "json"}));
  command->add_option(
      "--word", word,
      "The word of .bin inputs; none: the file's name gives it");
  command->add_option("--split", split,
                      "NAME=FRACTION,...; none: all in train");
  command
      ->add_option("--max-errors", max_errors,
                   "Bad drawings that are borne: N or P%")
      ->capture_default_str();
  command->add_option("--errors", errors,
                      "Where bad drawings are reported, as JSON");
  command->add_option("--threads", threads, "0: one a usable core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command
      ->add_option("--split-by", split_by,
                   "Splits named by rule: file, directory, recognized")
      ->check(CLI::IsMember({"file", "directory", "recognized"}));
  command->add_option("--split-list", split_lists,
                      "NAME=FILE: the key_ids in FILE, one a line, are split "
                      "NAME; may be repeated");
  command->add_option("--classes-file", classes_file,
                      "The store's classes, one a line; other words are bad "
                      "drawings");
  command
      ->add_option("--duplicates", duplicates,
                   "Drawings whose key_id came before: keep and count, first "
                   "(leave them out), error")
      ->check(CLI::IsMember({"keep", "first", "error"}))
      ->capture_default_str();
  command->add_option("--shard", shard,
                      "I/N: only the I-th (from 0) of N runs of the inputs; "
                      "then inkstream merge");
  command
      ->add_option("--segment-drawings", segment_drawings,
                   "Drawings in one file of the store at most; files that are "
                   "finished are not written again after an interrupt")
      ->check(CLI::Range(uint64_t{1}, store::kSegmentDrawings))
      ->capture_default_str();
  command->add_flag("--resume", resume,
                    "Go on with an interrupted ingest, begin where there is "
                    "none");
  command->add_flag("--append", append,
                    "Add to a store that exists: its next generation");
  command->add_flag("--json", json, "The summary on standard output, as JSON");
}

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

absl::Status FillOptions(const IngestFlags& flags,
                         ingest::IngestOptions* options,
                         std::vector<std::string>* passed_over) {
  absl::StatusOr<ingest::MaxErrors> max_errors =
      ingest::MaxErrors::Parse(flags.max_errors);
  if (!max_errors.ok()) return max_errors.status();
  options->max_errors = *max_errors;
  if (!flags.format.empty()) {
    options->format = *ingest::ParseInputFormat(flags.format);
  }
  options->parser.only_raw = flags.format == "raw";
  if (!flags.word.empty()) {
    absl::Status status = ingest::CheckWord(flags.word);
    if (!status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("--", status.message()));
    }
  }
  options->word = flags.word;
  options->parser.keep_raw = flags.keep == "raw";
  if (absl::Status s = ReadSplitRules(flags, &options->splits); !s.ok()) {
    return s;
  }
  if (absl::Status s = ReadClasses(flags.classes_file, &options->classes);
      !s.ok()) {
    return s;
  }
  absl::StatusOr<std::vector<ingest::InputFile>> inputs =
      ingest::ListInputs(flags.inputs, passed_over);
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

absl::StatusOr<std::vector<store::SplitFraction>> ParseSplits(
    const std::string& text) {
  std::vector<store::SplitFraction> splits;
  if (text.empty()) return splits;
  double sum = 0;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    const std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(part, absl::MaxSplits('=', 1));
    store::SplitFraction split;
    split.name = std::string(pair.first);
    if (split.name.empty() || !absl::SimpleAtod(pair.second, &split.fraction) ||
        !(split.fraction > 0 && split.fraction <= 1)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--split has '", part,
                       "', expected NAME=FRACTION with a fraction in (0, 1], "
                       "such as train=0.9,valid=0.1"));
    }
    for (const store::SplitFraction& other : splits) {
      if (other.name == split.name) {
        return absl::InvalidArgumentError(
            absl::StrCat("--split names '", split.name, "' twice"));
      }
    }
    sum += split.fraction;
    splits.push_back(std::move(split));
  }
  if (sum > 1 + kRounding) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the fractions of --split sum to ", sum, ", the limit is 1"));
  }
  return splits;
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

}  // namespace inkstream::app
