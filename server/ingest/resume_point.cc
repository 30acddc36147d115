#include "server/ingest/resume_point.h"

#include <sys/stat.h>

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "server/base/json.h"
#include "server/ingest/ingest_job.h"
#include "server/store/segment/checksum.h"

namespace inkstream::ingest {
namespace {

Json CountsJson(const KeyCounts& keys) {
  Json json = Json::array();
  for (const auto& [name, count] : keys.counts()) json.push_back({name, count});
  return json;
}

void ReadCounts(const Json& json, KeyCounts* keys) {
  for (const Json& key : json)
    keys->Add(key.at(0).get<std::string>(), key.at(1));
}

}  // namespace

std::string ResumePointText(const InputPlace& place,
                            const IngestReport& report) {
  const Json json = {{"file", place.file},
                     {"offset", place.offset},
                     {"line", place.line},
                     {"read", report.read},
                     {"kept", report.kept},
                     {"simplified", report.simplified},
                     {"kept_raw", report.kept_raw},
                     {"errors", report.errors.Save()},
                     {"unknown_keys", CountsJson(report.unknown_keys)},
                     {"null_values", CountsJson(report.null_values)},
                     {"other_forms", CountsJson(report.other_forms)}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::StatusOr<InputPlace> ParseResumePoint(absl::string_view text,
                                            IngestReport* report) {
  if (text.empty()) return InputPlace();
  try {
    const Json json = Json::parse(text);
    report->read = json.at("read");
    report->kept = json.at("kept");
    report->simplified = json.at("simplified");
    report->kept_raw = json.at("kept_raw");
    report->errors = ErrorLog::Saved(json.at("errors"));
    ReadCounts(json.at("unknown_keys"), &report->unknown_keys);
    ReadCounts(json.at("null_values"), &report->null_values);
    // Not in what was written before they were kept.
    ReadCounts(json.value("other_forms", Json::array()), &report->other_forms);
    return InputPlace{json.at("file"), json.at("offset"), json.at("line")};
  } catch (const Json::exception& error) {
    return absl::DataLossError(
        absl::StrCat("the place to resume at cannot be read: ", error.what()));
  }
}

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
