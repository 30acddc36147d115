#include "server/ingest/job_identity.h"

#include <sys/stat.h>

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "server/store/segment/checksum.h"

namespace inkstream::ingest {

std::string DescribeJob(
    const std::vector<std::pair<std::string, std::string>>& options,
    const std::vector<InputFile>& inputs) {
  std::string job;
  for (const auto& [name, value] : options) {
    absl::StrAppend(&job, "--", name, " ", absl::CEscape(value), "\n");
  }
  for (const InputFile& input : inputs) {
    absl::StrAppend(&job, "input ", absl::CEscape(input.path));
    struct stat info = {};
    if (stat(input.path.c_str(), &info) == 0 && S_ISREG(info.st_mode)) {
      absl::StrAppendFormat(&job, ", %d bytes, changed %d.%09d", info.st_size,
                            info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
    }
    if (input.end != 0) {
      absl::StrAppend(&job, ", bytes ", input.begin, " to ", input.end);
    }
    job += "\n";
  }
  return job;
}

std::string JobDigest(absl::string_view job) {
  return absl::StrFormat("%016x", store::Checksum(job));
}

absl::Status CheckSameJob(absl::string_view interrupted, absl::string_view now,
                          const std::string& directory) {
  if (interrupted == now) return absl::OkStatus();
  const std::vector<absl::string_view> old_lines =
      absl::StrSplit(interrupted, '\n');
  const std::vector<absl::string_view> new_lines = absl::StrSplit(now, '\n');
  size_t line = 0;
  while (line < std::min(old_lines.size(), new_lines.size()) &&
         old_lines[line] == new_lines[line]) {
    ++line;
  }
  const auto text = [&](const std::vector<absl::string_view>& lines) {
    return line < lines.size() && !lines[line].empty() ? lines[line]
                                                       : "nothing";
  };
  return absl::FailedPreconditionError(absl::StrCat(
      directory, " is of another ingest: it had '", text(old_lines),
      "', this one has '", text(new_lines),
      "'; give --resume the same inputs and options, or begin anew without "
      "it"));
}

}  // namespace inkstream::ingest
