// ParseManifest of manifest.h.

#include <simdjson.h>

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/store/format.h"
#include "server/store/generation/manifest.h"
#include "server/store/segment/checksum.h"

namespace inkstream::store {
namespace {

// Takes members out of JSON objects and remembers the first that is missing or
// of another type: DATA_LOSS, naming `path` and the member.
class JsonMembers {
 public:
  explicit JsonMembers(std::string path) : path_(std::move(path)) {}

  uint64_t Number(simdjson::dom::element in, const char* key) {
    uint64_t number = 0;
    if (in[key].get(number) != simdjson::SUCCESS) Missing(key);
    return number;
  }
  std::string Text(simdjson::dom::element in, const char* key) {
    std::string_view text;
    if (in[key].get(text) != simdjson::SUCCESS) Missing(key);
    return std::string(text);
  }
  uint64_t HexNumber(simdjson::dom::element in, const char* key) {
    uint64_t number = 0;
    if (!absl::SimpleHexAtoi(Text(in, key), &number)) Missing(key);
    return number;
  }
  simdjson::dom::array Array(simdjson::dom::element in, const char* key) {
    simdjson::dom::array array;
    if (in[key].get(array) != simdjson::SUCCESS) Missing(key);
    return array;
  }
  simdjson::dom::element Object(simdjson::dom::element in, const char* key) {
    simdjson::dom::element object;
    if (in[key].get(object) != simdjson::SUCCESS || !object.is_object()) {
      Missing(key);
      return in;
    }
    return object;
  }
  const absl::Status& status() const { return status_; }

 private:
  void Missing(const char* key) {
    status_.Update(absl::DataLossError(absl::StrCat(
        path_, ": member '", key, "' is missing or of another type")));
  }
  std::string path_;
  absl::Status status_;
};

// Absent in stores of the first releases: then the sums stay empty.
DeltaSums ReadDeltas(simdjson::dom::element in) {
  DeltaSums sums;
  simdjson::dom::array array;
  if (in["deltas"].get(array) != simdjson::SUCCESS || array.size() != 3 ||
      array.at(0).get(sums.values) != simdjson::SUCCESS ||
      array.at(1).get(sums.sum) != simdjson::SUCCESS ||
      array.at(2).get(sums.squares) != simdjson::SUCCESS) {
    return DeltaSums();
  }
  return sums;
}

absl::Status CheckChecksum(absl::string_view text, const std::string& path) {
  const size_t mark = text.rfind(kChecksumKey);
  const absl::string_view tail =
      mark == absl::string_view::npos ? "" : text.substr(mark);
  uint64_t expected = 0;
  constexpr size_t kKeyBytes = sizeof(kChecksumKey) - 1;
  if (tail.size() != kKeyBytes + 16 + sizeof(kManifestEnd) - 1 ||
      !absl::EndsWith(tail, kManifestEnd) ||
      !absl::SimpleHexAtoi(tail.substr(kKeyBytes, 16), &expected)) {
    return absl::DataLossError(absl::StrCat(path, ": has no checksum"));
  }
  const uint64_t found = Checksum(text.substr(0, mark));
  if (found != expected) {
    return absl::DataLossError(absl::StrCat(path, ": expected checksum ",
                                            ManifestHex(expected), ", found ",
                                            ManifestHex(found)));
  }
  return absl::OkStatus();
}

absl::Status ReadFeatures(simdjson::dom::array requires_features,
                          const std::string& path, StoreInfo* info) {
  for (const simdjson::dom::element feature : requires_features) {
    std::string_view name;
    if (feature.get(name) != simdjson::SUCCESS) name = "?";
    if (name == kRawFeature) {
      info->has_times = true;
      continue;
    }
    if (name == kDroppedFeature) continue;
    if (name == kListedSplitsFeature) {
      info->listed_splits = true;
      continue;
    }
    return absl::FailedPreconditionError(absl::StrCat(
        path, ": needs '", absl::string_view(name.data(), name.size()),
        "', which a later release brought"));
  }
  return absl::OkStatus();
}

void ReadSplits(simdjson::dom::array splits, JsonMembers* members,
                StoreInfo* info) {
  for (const simdjson::dom::element split : splits) {
    SplitInfo& added = info->splits.emplace_back();
    added.name = members->Text(split, "name");
    added.rule = members->Text(split, "rule");
    added.low = members->HexNumber(split, "low");
    added.high = members->HexNumber(split, "high");
    added.drawings = members->Number(split, "drawings");
    added.deltas = ReadDeltas(split);
    added.delta_std = added.deltas.Std();
    if (split["listed_by"].error() == simdjson::SUCCESS) {
      added.listed_by = members->Text(split, "listed_by");
      added.members = members->HexNumber(split, "members");
    }
  }
}

absl::Status ReadClassCounts(simdjson::dom::array classes,
                             const std::string& path, StoreInfo* info) {
  for (const simdjson::dom::element entry : classes) {
    std::string_view word;
    uint64_t count = 0;
    if (entry.at(0).get(word) != simdjson::SUCCESS ||
        entry.at(1).get(count) != simdjson::SUCCESS) {
      return absl::DataLossError(absl::StrCat(path, ": a class has no count"));
    }
    info->classes.emplace_back(word);
    info->class_counts.push_back(count);
  }
  return absl::OkStatus();
}

absl::Status ReadSegments(simdjson::dom::array segments,
                          const std::string& path, JsonMembers* members,
                          std::vector<SegmentEntry>* entries) {
  uint64_t first = 0;
  for (const simdjson::dom::element segment : segments) {
    SegmentEntry entry{
        members->Text(segment, "file"), members->Number(segment, "first"),
        members->Number(segment, "drawings"), members->Number(segment, "bytes"),
        members->Text(segment, "content")};
    // The name must not lead out of the directory.
    if (entry.first != first || entry.file.empty() ||
        absl::StrContains(entry.file, '/') || entry.file == "..") {
      return absl::DataLossError(absl::StrCat(path, ": segment '", entry.file,
                                              "' begins at ", entry.first,
                                              ", expected ", first));
    }
    first += entry.drawings;
    entries->push_back(std::move(entry));
  }
  return absl::OkStatus();
}

// `places`: drawings that the segments hold.
absl::Status ReadDropped(simdjson::dom::element root, const std::string& path,
                         uint64_t places, DroppedRuns* runs) {
  simdjson::dom::array dropped;
  if (root["dropped"].get(dropped) == simdjson::SUCCESS) {
    for (const simdjson::dom::element run : dropped) {
      uint64_t run_first = 0;
      uint64_t count = 0;
      if (run.at(0).get(run_first) != simdjson::SUCCESS ||
          run.at(1).get(count) != simdjson::SUCCESS ||
          !runs->Add(run_first, count) || runs->end() > places) {
        return absl::DataLossError(
            absl::StrCat(path, ": 'dropped' is not ascending or leads out"));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Manifest> ParseManifest(absl::string_view text,
                                       const std::string& path) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::string_view magic;
  const bool is_json =
      parser.parse(text.data(), text.size()).get(root) == simdjson::SUCCESS;
  if (!is_json || root["format"].get(magic) != simdjson::SUCCESS ||
      magic != kManifestMagic) {
    return absl::DataLossError(
        absl::StrCat(path, ": not the manifest of a store, or damaged"));
  }
  uint64_t version = 0;
  if (root["version"].get(version) == simdjson::SUCCESS &&
      version != kFormatVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": format version ", version,
                     ", this release reads version ", kFormatVersion));
  }
  if (absl::Status s = CheckChecksum(text, path); !s.ok()) return s;

  JsonMembers members(path);
  Manifest manifest;
  StoreInfo& info = manifest.info;
  info.generation = members.Number(root, "generation");
  info.name = members.Text(root, "name");
  info.fingerprint = members.Text(root, "fingerprint");
  info.drawings = members.Number(root, "drawings");
  info.unlabelled = members.Number(root, "unlabelled");
  const simdjson::dom::element columns = members.Object(root, "columns");
  info.with_countrycode = members.Number(columns, "countrycode");
  info.with_timestamp = members.Number(columns, "timestamp");
  info.with_recognized = members.Number(columns, "recognized");
  info.with_key_id = members.Number(columns, "key_id");
  if (columns["times"].get(info.with_times) != simdjson::SUCCESS) {
    info.with_times = 0;
  }
  info.deltas = ReadDeltas(root);
  info.delta_std = info.deltas.Std();
  const auto requires_features = members.Array(root, "requires");
  const auto splits = members.Array(root, "splits");
  const auto classes = members.Array(root, "classes");
  const auto segments = members.Array(root, "segments");
  if (!members.status().ok()) return members.status();
  absl::Status status = ReadFeatures(requires_features, path, &info);
  if (!status.ok()) return status;
  ReadSplits(splits, &members, &info);
  if (status = ReadClassCounts(classes, path, &info); !status.ok()) {
    return status;
  }
  status = ReadSegments(segments, path, &members, &manifest.segments);
  if (!status.ok()) return status;
  const uint64_t places =
      manifest.segments.empty()
          ? 0
          : manifest.segments.back().first + manifest.segments.back().drawings;
  if (root["fixed_classes"].get(info.fixed_classes) != simdjson::SUCCESS) {
    info.fixed_classes = false;
  }
  if (root["duplicates"].get(info.duplicates) != simdjson::SUCCESS) {
    info.duplicates = 0;
  }
  std::string_view value;
  if (root["job"].get(value) == simdjson::SUCCESS) manifest.job = value;
  if (root["resume_point"].get(value) == simdjson::SUCCESS) {
    manifest.resume_point = value;
  }
  if (status = ReadDropped(root, path, places, &manifest.dropped);
      !status.ok()) {
    return status;
  }
  info.dropped = manifest.dropped.count();
  if (!members.status().ok()) return members.status();
  if (places - info.dropped != info.drawings) {
    return absl::DataLossError(
        absl::StrCat(path, ": the segments hold ", places, " drawings and ",
                     info.dropped, " are dropped, expected ", info.drawings));
  }
  return manifest;
}

}  // namespace inkstream::store
