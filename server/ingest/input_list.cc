#include "server/ingest/input_list.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"

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

absl::StatusOr<std::vector<std::string>> FilesIn(const std::string& directory) {
  std::vector<std::string> files;
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory, error), end;
       !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name[0] == '.') continue;  // as a shell's * does
    std::error_code ignored;
    if (at->is_directory(ignored)) {
      return absl::InvalidArgumentError(absl::StrCat(
          directory, " has a directory inside, ", name,
          "; name the directories one by one, in the order they are to have"));
    }
    files.push_back(at->path().string());
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
  return files;
}

}  // namespace

absl::StatusOr<std::vector<InputFile>> ListInputs(
    const std::vector<std::string>& arguments) {
  std::vector<InputFile> inputs;
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
    if (absl::Status status = CheckReadable(argument); !status.ok()) {
      return status;
    }
    std::error_code ignored;
    if (!std::filesystem::is_directory(argument, ignored)) {
      inputs.push_back({argument, SizeOf(argument)});
      continue;
    }
    absl::StatusOr<std::vector<std::string>> files = FilesIn(argument);
    if (!files.ok()) return files.status();
    for (const std::string& file : *files) {
      if (absl::Status status = CheckReadable(file); !status.ok()) {
        return status;
      }
      inputs.push_back({file, SizeOf(file)});
    }
  }
  return inputs;
}

}  // namespace inkstream::ingest
