#include "server/store/manifest.h"

#include <simdjson.h>
#include <sys/stat.h>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "server/store/checksum.h"
#include "server/store/file_sync.h"
#include "server/store/format.h"

namespace inkstream::store {
namespace {

constexpr uint64_t kMaxManifestBytes = uint64_t{1} << 30;
// Of a store with raw drawings.
constexpr char kRawFeature[] = "raw";
constexpr char kChecksumKey[] = ",\n  \"checksum\": \"";
constexpr char kEnd[] = "\"\n}\n";

std::string Quoted(absl::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (static_cast<uint8_t>(c) < 0x20) {
      absl::StrAppendFormat(&out, "\\u%04x", c);
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

// Standard deviations need these three.
std::string DeltaText(const DeltaSums& sums) {
  return absl::StrCat("[", sums.values, ", ", sums.sum, ", ", sums.squares,
                      "]");
}

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

std::string Hex(uint64_t number) { return absl::StrFormat("%016x", number); }

std::string RequiredFeatures(const StoreInfo& info) {
  std::vector<std::string> features;
  if (info.has_times) features.push_back(Quoted(kRawFeature));
  if (info.listed_splits) features.push_back(Quoted(kListedSplitsFeature));
  if (info.dropped > 0) features.push_back(Quoted(kDroppedFeature));
  return absl::StrJoin(features, ", ");
}

// Takes members out of JSON objects and remembers the first that is missing.
class Members {
 public:
  explicit Members(std::string path) : path_(std::move(path)) {}

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

}  // namespace

std::string Manifest::ToText() const {
  std::string out = absl::StrCat(
      "{\n  \"format\": ", Quoted(kManifestMagic),
      ",\n  \"version\": ", kFormatVersion, ",\n  \"requires\": [",
      RequiredFeatures(info), "],\n  \"generation\": ", info.generation,
      ",\n  \"name\": ", Quoted(info.name),
      ",\n  \"fingerprint\": ", Quoted(info.fingerprint),
      ",\n  \"drawings\": ", info.drawings,
      ",\n  \"unlabelled\": ", info.unlabelled, ",\n  \"columns\": {",
      "\"countrycode\": ", info.with_countrycode,
      ", \"timestamp\": ", info.with_timestamp,
      ", \"recognized\": ", info.with_recognized,
      ", \"key_id\": ", info.with_key_id);
  if (info.has_times) absl::StrAppend(&out, ", \"times\": ", info.with_times);
  absl::StrAppend(&out, "},\n  \"deltas\": ", DeltaText(info.deltas),
                  ",\n  \"splits\": [");
  const char* separator = "\n    ";
  for (const SplitInfo& split : info.splits) {
    absl::StrAppend(&out, separator, "{\"name\": ", Quoted(split.name),
                    ", \"rule\": ", Quoted(split.rule), ", \"low\": \"",
                    Hex(split.low), "\", \"high\": \"", Hex(split.high),
                    "\", \"drawings\": ", split.drawings,
                    ", \"deltas\": ", DeltaText(split.deltas));
    if (!split.listed_by.empty()) {
      absl::StrAppend(&out, ", \"listed_by\": ", Quoted(split.listed_by),
                      ", \"members\": \"", Hex(split.members), "\"");
    }
    out += "}";
    separator = ",\n    ";
  }
  absl::StrAppend(&out, "\n  ],\n  \"classes\": [");
  separator = "\n    ";
  for (size_t c = 0; c < info.classes.size(); ++c) {
    absl::StrAppend(&out, separator, "[", Quoted(info.classes[c]), ", ",
                    info.class_counts[c], "]");
    separator = ",\n    ";
  }
  absl::StrAppend(&out, "\n  ],\n  \"segments\": [");
  separator = "\n    ";
  for (const SegmentEntry& segment : segments) {
    absl::StrAppend(&out, separator, "{\"file\": ", Quoted(segment.file),
                    ", \"first\": ", segment.first,
                    ", \"drawings\": ", segment.drawings,
                    ", \"bytes\": ", segment.bytes,
                    ", \"content\": ", Quoted(segment.content), "}");
    separator = ",\n    ";
  }
  absl::StrAppend(&out, "\n  ]");
  if (info.fixed_classes) absl::StrAppend(&out, ",\n  \"fixed_classes\": true");
  if (info.duplicates > 0) {
    absl::StrAppend(&out, ",\n  \"duplicates\": ", info.duplicates);
  }
  if (dropped.count() > 0) {
    absl::StrAppend(&out, ",\n  \"dropped\": [");
    separator = "";
    for (const DroppedRuns::Run& run : dropped.runs()) {
      absl::StrAppend(&out, separator, "[", run.first, ", ", run.count, "]");
      separator = ", ";
    }
    absl::StrAppend(&out, "]");
  }
  if (!job.empty()) absl::StrAppend(&out, ",\n  \"job\": ", Quoted(job));
  const uint64_t checksum = Checksum(out);
  return absl::StrCat(out, kChecksumKey, Hex(checksum), kEnd);
}

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
  const size_t mark = text.rfind(kChecksumKey);
  const absl::string_view tail =
      mark == absl::string_view::npos ? "" : text.substr(mark);
  uint64_t expected = 0;
  constexpr size_t kKeyBytes = sizeof(kChecksumKey) - 1;
  if (tail.size() != kKeyBytes + 16 + sizeof(kEnd) - 1 ||
      !absl::EndsWith(tail, kEnd) ||
      !absl::SimpleHexAtoi(tail.substr(kKeyBytes, 16), &expected)) {
    return absl::DataLossError(absl::StrCat(path, ": has no checksum"));
  }
  const uint64_t found = Checksum(text.substr(0, mark));
  if (found != expected) {
    return absl::DataLossError(absl::StrCat(
        path, ": expected checksum ", Hex(expected), ", found ", Hex(found)));
  }

  Members members(path);
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
  for (const simdjson::dom::element feature : requires_features) {
    std::string_view name;
    if (feature.get(name) != simdjson::SUCCESS) name = "?";
    if (name == kRawFeature) {
      info.has_times = true;
      continue;
    }
    if (name == kDroppedFeature) continue;
    if (name == kListedSplitsFeature) {
      info.listed_splits = true;
      continue;
    }
    return absl::FailedPreconditionError(absl::StrCat(
        path, ": needs '", absl::string_view(name.data(), name.size()),
        "', which a later release brought"));
  }
  for (const simdjson::dom::element split : splits) {
    SplitInfo& added = info.splits.emplace_back();
    added.name = members.Text(split, "name");
    added.rule = members.Text(split, "rule");
    added.low = members.HexNumber(split, "low");
    added.high = members.HexNumber(split, "high");
    added.drawings = members.Number(split, "drawings");
    added.deltas = ReadDeltas(split);
    added.delta_std = added.deltas.Std();
    if (split["listed_by"].error() == simdjson::SUCCESS) {
      added.listed_by = members.Text(split, "listed_by");
      added.members = members.HexNumber(split, "members");
    }
  }
  for (const simdjson::dom::element entry : classes) {
    std::string_view word;
    uint64_t count = 0;
    if (entry.at(0).get(word) != simdjson::SUCCESS ||
        entry.at(1).get(count) != simdjson::SUCCESS) {
      return absl::DataLossError(absl::StrCat(path, ": a class has no count"));
    }
    info.classes.emplace_back(word);
    info.class_counts.push_back(count);
  }
  uint64_t first = 0;
  for (const simdjson::dom::element segment : segments) {
    SegmentEntry entry{
        members.Text(segment, "file"), members.Number(segment, "first"),
        members.Number(segment, "drawings"), members.Number(segment, "bytes"),
        members.Text(segment, "content")};
    // The name must not lead out of the directory.
    if (entry.first != first || entry.file.empty() ||
        absl::StrContains(entry.file, '/') || entry.file == "..") {
      return absl::DataLossError(absl::StrCat(path, ": segment '", entry.file,
                                              "' begins at ", entry.first,
                                              ", expected ", first));
    }
    first += entry.drawings;
    manifest.segments.push_back(std::move(entry));
  }
  if (root["fixed_classes"].get(info.fixed_classes) != simdjson::SUCCESS) {
    info.fixed_classes = false;
  }
  if (root["duplicates"].get(info.duplicates) != simdjson::SUCCESS) {
    info.duplicates = 0;
  }
  std::string_view job;
  if (root["job"].get(job) == simdjson::SUCCESS) manifest.job = job;
  simdjson::dom::array dropped;
  if (root["dropped"].get(dropped) == simdjson::SUCCESS) {
    for (const simdjson::dom::element run : dropped) {
      uint64_t run_first = 0;
      uint64_t count = 0;
      if (run.at(0).get(run_first) != simdjson::SUCCESS ||
          run.at(1).get(count) != simdjson::SUCCESS ||
          !manifest.dropped.Add(run_first, count) ||
          manifest.dropped.end() > first) {
        return absl::DataLossError(
            absl::StrCat(path, ": 'dropped' is not ascending or leads out"));
      }
    }
  }
  info.dropped = manifest.dropped.count();
  if (!members.status().ok()) return members.status();
  if (first - info.dropped != info.drawings) {
    return absl::DataLossError(
        absl::StrCat(path, ": the segments hold ", first, " drawings and ",
                     info.dropped, " are dropped, expected ", info.drawings));
  }
  return manifest;
}

absl::StatusOr<Manifest> ReadManifest(const std::string& directory,
                                      uint64_t* bytes,
                                      const std::string& name) {
  const std::string path = absl::StrCat(directory, "/", name);
  absl::StatusOr<std::string> text = ReadWholeFile(path, kMaxManifestBytes);
  if (text.ok()) {
    if (bytes != nullptr) *bytes = text->size();
    return ParseManifest(*text, path);
  }
  struct stat info;
  if (stat(directory.c_str(), &info) != 0) {
    return absl::NotFoundError(absl::StrCat(directory, ": no such directory"));
  }
  if (!S_ISDIR(info.st_mode)) {
    return absl::NotFoundError(
        absl::StrCat(directory,
                     ": not a store: a store is a directory that 'inkstream "
                     "ingest' made"));
  }
  if (absl::IsNotFound(text.status())) {
    return absl::NotFoundError(
        absl::StrCat(directory, ": not a store: it has no ", kManifestName));
  }
  return text.status();
}

absl::Status WriteManifest(const std::string& directory,
                           const Manifest& manifest, const std::string& name) {
  return ReplaceFile(absl::StrCat(directory, "/", name), manifest.ToText());
}

std::string ManifestNameOf(uint64_t generation) {
  return absl::StrFormat("%s.%06d", kManifestName, generation);
}

}  // namespace inkstream::store
