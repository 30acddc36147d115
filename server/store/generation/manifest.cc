#include "server/store/generation/manifest.h"

#include <sys/stat.h>

#include <filesystem>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "server/base/json_text.h"
#include "server/store/format.h"
#include "server/store/generation/file_sync.h"
#include "server/store/segment/checksum.h"

namespace inkstream::store {
namespace {

std::string JsonText(absl::string_view text) {
  std::string out;
  AppendJsonString(text, &out);
  return out;
}

// Standard deviations need these three.
std::string DeltaText(const DeltaSums& sums) {
  return absl::StrCat("[", sums.values, ", ", sums.sum, ", ", sums.squares,
                      "]");
}

std::string RequiredFeatures(const StoreInfo& info) {
  std::vector<std::string> features;
  if (info.has_times) features.push_back(JsonText(kRawFeature));
  if (info.listed_splits) features.push_back(JsonText(kListedSplitsFeature));
  if (info.dropped > 0) features.push_back(JsonText(kDroppedFeature));
  return absl::StrJoin(features, ", ");
}

}  // namespace

std::string ManifestHex(uint64_t number) {
  return absl::StrFormat("%016x", number);
}

std::string Manifest::ToText() const {
  std::string out = absl::StrCat(
      "{\n  \"format\": ", JsonText(kManifestMagic),
      ",\n  \"version\": ", kFormatVersion, ",\n  \"requires\": [",
      RequiredFeatures(info), "],\n  \"generation\": ", info.generation,
      ",\n  \"name\": ", JsonText(info.name),
      ",\n  \"fingerprint\": ", JsonText(info.fingerprint),
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
    absl::StrAppend(&out, separator, "{\"name\": ", JsonText(split.name),
                    ", \"rule\": ", JsonText(split.rule), ", \"low\": \"",
                    ManifestHex(split.low), "\", \"high\": \"",
                    ManifestHex(split.high),
                    "\", \"drawings\": ", split.drawings,
                    ", \"deltas\": ", DeltaText(split.deltas));
    if (!split.listed_by.empty()) {
      absl::StrAppend(&out, ", \"listed_by\": ", JsonText(split.listed_by),
                      ", \"members\": \"", ManifestHex(split.members), "\"");
    }
    out += "}";
    separator = ",\n    ";
  }
  absl::StrAppend(&out, "\n  ],\n  \"classes\": [");
  separator = "\n    ";
  for (size_t c = 0; c < info.classes.size(); ++c) {
    absl::StrAppend(&out, separator, "[", JsonText(info.classes[c]), ", ",
                    info.class_counts[c], "]");
    separator = ",\n    ";
  }
  absl::StrAppend(&out, "\n  ],\n  \"segments\": [");
  separator = "\n    ";
  for (const SegmentEntry& segment : segments) {
    absl::StrAppend(&out, separator, "{\"file\": ", JsonText(segment.file),
                    ", \"first\": ", segment.first,
                    ", \"drawings\": ", segment.drawings,
                    ", \"bytes\": ", segment.bytes,
                    ", \"content\": ", JsonText(segment.content), "}");
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
  if (!job.empty()) absl::StrAppend(&out, ",\n  \"job\": ", JsonText(job));
  if (!resume_point.empty()) {
    absl::StrAppend(&out, ",\n  \"resume_point\": ", JsonText(resume_point));
  }
  const uint64_t checksum = Checksum(out);
  return absl::StrCat(out, kChecksumKey, ManifestHex(checksum), kManifestEnd);
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

std::vector<std::string> OlderManifests(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry :
       std::filesystem::directory_iterator(directory, ignored)) {
    const std::string name = entry.path().filename();
    absl::string_view number = name;
    uint64_t generation = 0;
    if (absl::ConsumePrefix(&number, absl::StrCat(kManifestName, ".")) &&
        absl::SimpleAtoi(number, &generation) &&
        name == ManifestNameOf(generation)) {
      names.push_back(name);
    }
  }
  return names;
}

}  // namespace inkstream::store
