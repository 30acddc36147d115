#include "server/ingest/resume_point.h"

#include "absl/strings/str_cat.h"
#include "server/base/json.h"
#include "server/ingest/ingest_job.h"

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
                     {"null_values", CountsJson(report.null_values)}};
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
    return InputPlace{json.at("file"), json.at("offset"), json.at("line")};
  } catch (const Json::exception& error) {
    return absl::DataLossError(
        absl::StrCat("the place to resume at cannot be read: ", error.what()));
  }
}

}  // namespace inkstream::ingest
