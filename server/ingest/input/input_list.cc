#include "server/ingest/input/input_list.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "server/store/format.h"

namespace inkstream::ingest {
namespace {

absl::Status CheckReadable(const std::string& path) {
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0 || access(path.c_str(), R_OK) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot read ", path));
  }
  return absl::OkStatus();
}

uint64_t SizeOf(const std::string& path) {
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return 0;
  return static_cast<uint64_t>(info.st_size);
}

// Ends of names, in lower case, of what downloads and editors leave.
constexpr absl::string_view kUnfinished[] = {
    ".part",        ".partial",  ".part.tag",
    ".crdownload",  ".download", ".opdownload",
    ".downloading", ".filepart", ".incomplete",
    ".unfinished",  ".tmp",      ".temp",
    "_.gstmp",      ".aria2",    ".lftp-pget-status"};
constexpr absl::string_view kBackups[] = {"~",    ".bak",  ".orig", ".old",
                                          ".swp", ".save", ".rej"};

// Ends of names of what can be read, and of what may be packed.
constexpr absl::string_view kData[] = {".ndjson", ".jsonl", ".json",
                                       ".csv",    ".bin",   ".txt"};
constexpr absl::string_view kPacked[] = {".gz",   ".zst", ".bz2", ".xz",
                                         ".lzma", ".lz4", ".z",   ".br",
                                         ".zip",  ".7z",  ".rar"};

// Names, in lower case, of what lies beside data.
constexpr absl::string_view kBesideData[] = {"thumbs.db", "ehthumbs.db",
                                             "desktop.ini", "_success"};
constexpr absl::string_view kBesideDataStems[] = {
    "readme",  "license",  "licence",    "copying",    "notice",   "changelog",
    "md5sums", "sha1sums", "sha256sums", "sha512sums", "checksums"};
constexpr absl::string_view kBesideDataEnds[] = {
    ".md", ".md5", ".sha1", ".sha256", ".sha512", ".sig", ".asc"};

std::string NameOf(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

template <size_t count>
bool EndsWithAny(absl::string_view name,
                 const absl::string_view (&ends)[count]) {
  return std::any_of(
      std::begin(ends), std::end(ends),
      [&](absl::string_view end) { return absl::EndsWith(name, end); });
}

// What would be half a file, or one twice.
absl::Status CheckFinished(const std::string& path) {
  const std::string name = absl::AsciiStrToLower(NameOf(path));
  if (EndsWithAny(name, kUnfinished)) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, " is not finished: fetch it again, or leave it out"));
  }
  if (EndsWithAny(name, kBackups)) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, " is an editor's copy by its name: leave it out, or rename it"));
  }
  return absl::OkStatus();
}

// Whether a name goes on behind an end that it might have had, as tools name
// halves and copies that no list of theirs is complete of: cat.ndjson.7Ab3F2,
// cat.ndjson.1, #cat.ndjson#.
bool GoesOnBehindItsEnd(absl::string_view file_name) {
  const std::string lower = absl::AsciiStrToLower(file_name);
  absl::string_view name = lower;
  for (const absl::string_view packed : kPacked) {
    if (absl::ConsumeSuffix(&name, packed)) break;
  }
  if (EndsWithAny(name, kData)) return false;
  return std::any_of(
      std::begin(kData), std::end(kData), [&](absl::string_view end) {
        const size_t at = name.find(end);
        return at != absl::string_view::npos && at + end.size() < name.size() &&
               !absl::ascii_isalnum(name[at + end.size()]);
      });
}

template <size_t count>
bool IsOneOf(absl::string_view name, const absl::string_view (&names)[count]) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

bool LiesBesideData(absl::string_view file_name) {
  const std::string name = absl::AsciiStrToLower(file_name);
  return IsOneOf(name, kBesideData) ||
         IsOneOf(absl::StripSuffix(name, ".txt"), kBesideDataStems) ||
         EndsWithAny(name, kBesideDataEnds);
}

absl::StatusOr<std::vector<std::string>> FilesIn(
    const std::string& directory, std::vector<std::string>* passed_over) {
  std::vector<std::string> files;
  std::vector<std::string> others;
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory, error), end;
       !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    std::error_code ignored;
    if (name == store::kManifestName) {
      return absl::InvalidArgumentError(absl::StrCat(
          directory,
          " is a store, not drawings to ingest: serve it, join it to another "
          "with inkstream merge, or write its drawings with inkstream export"));
    }
    const bool hidden = name[0] == '.';  // as a shell's * passes over
    const bool beside = hidden || LiesBesideData(name);
    if (!hidden && at->is_directory(ignored)) {
      return absl::InvalidArgumentError(absl::StrCat(
          directory, " has a directory inside, ", name,
          "; name the directories one by one, in the order they are to have"));
    }
    if (!beside && GoesOnBehindItsEnd(name) &&
        CheckFinished(at->path().string()).ok()) {
      return absl::InvalidArgumentError(absl::StrCat(
          at->path().string(),
          " is half a file or a second copy by its name: leave it out, or, to "
          "have it read, rename it or name it by itself"));
    }
    (beside ? others : files).push_back(at->path().string());
  }
  if (error) {
    return absl::ErrnoToStatus(error.value(),
                               absl::StrCat("cannot list ", directory));
  }
  if (files.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the directory ", directory, " has no files"));
  }
  std::sort(files.begin(), files.end());
  std::sort(others.begin(), others.end());
  if (passed_over != nullptr) {
    passed_over->insert(passed_over->end(), others.begin(), others.end());
  }
  return files;
}

}  // namespace

absl::StatusOr<std::vector<InputFile>> ListInputs(
    const std::vector<std::string>& arguments,
    std::vector<std::string>* passed_over) {
  std::vector<InputFile> inputs;
  const auto add = [&](const std::string& file) {
    absl::Status status = CheckReadable(file);
    std::error_code ignored;
    // A pipe is named by whoever made it, not by what left it.
    if (status.ok() && std::filesystem::is_regular_file(file, ignored)) {
      status = CheckFinished(file);
    }
    if (status.ok()) inputs.push_back({file, SizeOf(file)});
    return status;
  };
  bool standard_input = false;
  for (const std::string& argument : arguments) {
    if (argument == "-") {
      if (standard_input) {
        return absl::InvalidArgumentError(
            "standard input (-) is given twice and can be read once");
      }
      standard_input = true;
      inputs.push_back({argument, 0});
      continue;
    }
    std::error_code ignored;
    if (!std::filesystem::is_directory(argument, ignored)) {
      if (absl::Status status = add(argument); !status.ok()) return status;
      continue;
    }
    if (absl::Status s = CheckReadable(argument); !s.ok()) return s;
    absl::StatusOr<std::vector<std::string>> files =
        FilesIn(argument, passed_over);
    if (!files.ok()) return files.status();
    for (const std::string& file : *files) {
      if (absl::Status status = add(file); !status.ok()) return status;
    }
  }
  return inputs;
}

}  // namespace inkstream::ingest
