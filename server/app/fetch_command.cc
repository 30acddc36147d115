#include "server/app/fetch_command.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "server/app/command_line.h"
#include "server/app/failure.h"
#include "server/app/interrupt.h"
#include "server/app/progress_display.h"
#include "server/batch/nearest_name.h"
#include "server/ingest/fetch/category_names.h"
#include "server/ingest/fetch/fetch_job.h"

namespace inkstream::app {
namespace {

constexpr char kName[] = "fetch";
constexpr char kBucket[] =
    "https://storage.googleapis.com/quickdraw_dataset/full";

struct FetchFlags {
  std::vector<std::string> words;
  bool all = false;
  bool list = false;
  std::string kind = "simplified";
  std::string base_url = kBucket;
  std::string store_url;
  std::string output;
  int jobs = 8;
  int retries = 5;
  int stall = 30;
};

struct Kind {
  const char* name;
  const char* folder;
  const char* extension;
};
constexpr Kind kKinds[] = {{"simplified", "simplified", ".ndjson"},
                           {"raw", "raw", ".ndjson"},
                           {"bin", "binary", ".bin"}};

// The category as its file is named: case and '_' do not matter.
absl::StatusOr<std::string> CategoryOf(const std::string& word, bool official) {
  const std::string plain =
      absl::AsciiStrToLower(absl::StrReplaceAll(word, {{"_", " "}}));
  for (const std::string& name : ingest::CategoryNames()) {
    if (absl::AsciiStrToLower(name) == plain) return name;
  }
  // Another server may have files of its own.
  if (!official && !absl::StrContains(word, '/') &&
      !absl::StartsWith(word, ".") && !word.empty()) {
    return word;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("there is no category ", batch::Quoted(word),
                   batch::NearestHint(word, ingest::CategoryNames()),
                   " (--list shows all ", ingest::CategoryNames().size(), ")"));
}

absl::StatusOr<std::vector<ingest::RemoteFile>> FilesOf(
    const FetchFlags& flags) {
  const Kind* const kind =
      std::find_if(std::begin(kKinds), std::end(kKinds),
                   [&](const Kind& k) { return k.name == flags.kind; });
  const absl::string_view base = absl::StripSuffix(flags.base_url, "/");
  std::vector<std::string> names;
  for (const std::string& word :
       flags.all ? ingest::CategoryNames() : flags.words) {
    absl::StatusOr<std::string> name =
        CategoryOf(word, flags.base_url == kBucket);
    if (!name.ok()) return name.status();
    if (std::find(names.begin(), names.end(), *name) == names.end()) {
      names.push_back(*std::move(name));
    }
  }
  std::vector<ingest::RemoteFile> files;
  for (const std::string& name : names) {
    files.push_back({absl::StrCat(base, "/", kind->folder, "/",
                                  ingest::UrlEscaped(name), kind->extension),
                     absl::StrCat(flags.output, "/", name, kind->extension),
                     std::nullopt});
  }
  return files;
}

absl::Status CheckFlags(const FetchFlags& flags) {
  const int ways = (flags.all ? 1 : 0) + (flags.words.empty() ? 0 : 1) +
                   (flags.store_url.empty() ? 0 : 1);
  if (ways != 1) {
    return absl::InvalidArgumentError(
        "say what to fetch: words, or --all, or --store URL; one of them");
  }
  if (flags.output.empty()) {
    return absl::InvalidArgumentError(
        "-o is missing: the directory for the files, or the store's name");
  }
  return absl::OkStatus();
}

ingest::FetchOptions OptionsOf(const FetchFlags& flags,
                               ProgressDisplay* display) {
  ingest::FetchOptions options;
  options.jobs = flags.jobs;
  options.retry.tries = flags.retries + 1;
  options.stall = std::chrono::seconds(flags.stall);
  options.interrupted = [] { return Interrupt::requested(); };
  options.progress = [display](const ingest::FetchProgress& progress) {
    display->Update({progress.files, progress.bytes, progress.bytes_in_all,
                     /*bytes=*/true, "files"});
  };
  return options;
}

int Report(const FetchFlags& flags, const ingest::FetchReport& report,
           double seconds) {
  for (const absl::Status& failure : report.failures) {
    std::fprintf(stderr, "%s\n", std::string(failure.message()).c_str());
  }
  std::fprintf(stderr,
               "Fetched %s files, %s MiB, in %.1f s; %s were there already\n",
               WithThousands(report.fetched).c_str(),
               WithThousands(report.bytes >> 20U).c_str(), seconds,
               WithThousands(report.kept).c_str());
  if (!report.failures.empty()) {
    return Fail(kName,
                absl::UnavailableError(absl::StrCat(
                    report.failures.size(),
                    " files could not be fetched; the same command goes on "
                    "with what is missing")),
                kExitFailed);
  }
  std::fprintf(
      stderr, "Next: inkstream %s %s\n",
      flags.store_url.empty() ? "ingest --store drawings.ink" : "serve --store",
      flags.output.c_str());
  return kExitDone;
}

int RunFetch(const FetchFlags& flags) {
  if (flags.list) {
    for (const std::string& name : ingest::CategoryNames()) {
      std::fprintf(stdout, "%s\n", name.c_str());
    }
    return kExitDone;
  }
  absl::Status status = CheckFlags(flags);
  if (!status.ok()) return Fail(kName, status, kExitUsage);
  Interrupt::Install();
  ProgressDisplay display(kName);
  const ingest::FetchOptions options = OptionsOf(flags, &display);
  absl::StatusOr<ingest::FetchReport> report;
  if (flags.store_url.empty()) {
    absl::StatusOr<std::vector<ingest::RemoteFile>> files = FilesOf(flags);
    if (!files.ok()) return Fail(kName, files.status(), kExitUsage);
    if (mkdir(flags.output.c_str(), 0755) != 0 && errno != EEXIST) {
      return Fail(kName,
                  absl::ErrnoToStatus(
                      errno, absl::StrCat("cannot make ", flags.output)),
                  kExitFailed);
    }
    report = ingest::FetchFiles(*std::move(files), options);
  } else {
    report = ingest::FetchStore(flags.store_url, flags.output, options);
  }
  display.Clear();
  if (!report.ok()) return Fail(kName, report.status(), kExitFailed);
  return Report(flags, *report, display.seconds());
}

}  // namespace

void AddFetchCommand(CLI::App& app, int* exit_code) {
  auto flags = std::make_shared<FetchFlags>();
  CLI::App* command = app.add_subcommand(
      kName,
      "Downloads official files, or a ready store; goes on where it was");
  command->add_option("WORD", flags->words,
                      "Categories, as \"cat\" or \"aircraft carrier\"");
  command->add_flag("--all", flags->all, "All 345 categories");
  command->add_flag("--list", flags->list, "Prints the categories");
  std::vector<std::string> kinds;
  for (const Kind& kind : kKinds) kinds.emplace_back(kind.name);
  command->add_option("--kind", flags->kind, "simplified, raw or bin")
      ->check(CLI::IsMember(kinds))
      ->capture_default_str();
  command
      ->add_option("--base-url", flags->base_url,
                   "Where KIND/WORD.EXTENSION lie; a mirror of yours, say")
      ->capture_default_str();
  command->add_option("--store", flags->store_url,
                      "Instead: a store's directory on a web server");
  command->add_option("-o,--output", flags->output,
                      "Directory for the files, or the name of the store");
  command->add_option("--jobs", flags->jobs, "Files at a time")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command
      ->add_option("--retries", flags->retries,
                   "Further tries, in a row, that bring nothing new")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  command
      ->add_option("--stall", flags->stall,
                   "Seconds without a byte until a transfer is tried again")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  command->footer(
      "Examples:\n"
      "  inkstream fetch cat dog \"aircraft carrier\" -o quickdraw\n"
      "  inkstream fetch --all --kind bin -o quickdraw-bin\n"
      "  inkstream fetch --store https://example.org/drawings.ink -o "
      "drawings.ink\n"
      "The simplified files are 22 GB in all. Run the same command again to go "
      "on.");
  command->callback([flags, exit_code] { *exit_code = RunFetch(*flags); });
}

}  // namespace inkstream::app
