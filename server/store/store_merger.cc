#include "server/store/store_merger.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/store/generation/file_sync.h"
#include "server/store/generation/generation_finish.h"
#include "server/store/generation/generation_publish.h"
#include "server/store/generation/manifest.h"
#include "server/store/generation/staging_directory.h"
#include "server/store/writing/content_counts.h"

namespace inkstream::store {
namespace {

std::string RangesOf(const StoreInfo& info) {
  std::string text;
  for (const SplitInfo& split : info.splits) {
    if (split.low == split.high) continue;
    absl::StrAppendFormat(&text, "%s%s %016x to %016x",
                          text.empty() ? "" : ", ", split.name, split.low,
                          split.high);
  }
  return text.empty() ? "none" : text;
}

absl::Status CheckAlike(const std::string& first, const StoreInfo& a,
                        const std::string& other, const StoreInfo& b) {
  // Where all drawings are listed, a store has no ranges.
  const std::string ours = RangesOf(a);
  const std::string theirs = RangesOf(b);
  if (ours != theirs && b.drawings > 0 && a.drawings > 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("the splits of ", first, " (", ours, ") and ", other, " (",
                     theirs, ") differ; ingest both with the same --split"));
  }
  if (a.fixed_classes != b.fixed_classes ||
      (a.fixed_classes && a.classes != b.classes)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the classes of ", first, " and ", other,
                     " are not fixed alike; ingest both with the same "
                     "--classes-file, or none"));
  }
  return absl::OkStatus();
}

class Merger {
 public:
  Merger(const std::vector<std::string>& inputs, const MergeOptions& options)
      : inputs_(inputs), options_(options) {}

  absl::Status ReadManifests() {
    for (const std::string& input : inputs_) {
      absl::StatusOr<Manifest> manifest = ReadManifest(input, nullptr);
      if (!manifest.ok()) return manifest.status();
      for (const SegmentEntry& entry : manifest->segments) {
        total_bytes_ += entry.bytes;
      }
      manifests_.push_back(*std::move(manifest));
      absl::Status alike = CheckAlike(inputs_.front(), manifests_.front().info,
                                      input, manifests_.back().info);
      if (!alike.ok()) return alike;
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> Merge(StagingDirectory* staging) {
    // The first with drawings has the ranges that an empty shard may lack.
    size_t first = 0;
    while (first + 1 < manifests_.size() &&
           manifests_[first].info.drawings == 0) {
      ++first;
    }
    Manifest merged;
    merged.info.name = manifests_[first].info.name;
    merged.info.fixed_classes = manifests_[first].info.fixed_classes;
    ContentCounts counts(manifests_[first].info, "source");
    for (size_t m = 0; m < manifests_.size(); ++m) {
      if (m != first) counts.AddStore(manifests_[m].info);
      if (absl::Status s = Take(m, staging, &merged); !s.ok()) return s;
    }
    if (absl::Status s = counts.CheckLimits(); !s.ok()) return s;
    GenerationParts parts;
    parts.path = staging->path();
    parts.directories.assign(merged.segments.size(), staging->directory());
    parts.duplicates = options_.duplicates;
    parts.memory_bytes = options_.memory_bytes;
    parts.threads = options_.threads;
    absl::Status s = FinishGeneration(parts, &counts, nullptr, &merged);
    if (!s.ok()) return s;
    merged.info.generation = 1;
    if (s = PublishGeneration(staging, merged); !s.ok()) return s;
    return merged.info.fingerprint;
  }

 private:
  absl::Status Take(size_t m, StagingDirectory* staging, Manifest* merged) {
    const uint64_t base = places_;
    for (const SegmentEntry& entry : manifests_[m].segments) {
      if (options_.interrupted != nullptr && options_.interrupted->load()) {
        return absl::CancelledError("interrupted");
      }
      SegmentEntry& copy = merged->segments.emplace_back(entry);
      copy.file =
          absl::StrFormat("segment-%06d.mdb", merged->segments.size() - 1);
      copy.first = base + entry.first;
      places_ += entry.drawings;
      absl::Status copied =
          CopyFile(absl::StrCat(inputs_[m], "/", entry.file),
                   absl::StrCat(staging->directory(), "/", copy.file));
      if (!copied.ok()) return copied;
      copied_bytes_ += entry.bytes;
      if (options_.progress) options_.progress(copied_bytes_, total_bytes_);
    }
    for (const DroppedRuns::Run& run : manifests_[m].dropped.runs()) {
      merged->dropped.Add(base + run.first, run.count);
    }
    return absl::OkStatus();
  }

  const std::vector<std::string>& inputs_;
  const MergeOptions& options_;
  std::vector<Manifest> manifests_;
  uint64_t places_ = 0;  // taken so far
  uint64_t copied_bytes_ = 0;
  uint64_t total_bytes_ = 0;
};

}  // namespace

absl::StatusOr<std::string> MergeStores(const std::string& path,
                                        const std::vector<std::string>& inputs,
                                        const MergeOptions& options) {
  Merger merger(inputs, options);
  if (absl::Status s = merger.ReadManifests(); !s.ok()) return s;
  absl::StatusOr<std::unique_ptr<StagingDirectory>> staging =
      StagingDirectory::Open(path, false);
  if (!staging.ok()) return staging.status();
  if (absl::Status s = (*staging)->Clear(); !s.ok()) return s;
  absl::StatusOr<std::string> fingerprint = merger.Merge(staging->get());
  if (fingerprint.ok()) return fingerprint;
  absl::Status removed = (*staging)->Remove();
  if (removed.ok()) return fingerprint.status();
  return absl::Status(fingerprint.status().code(),
                      absl::StrCat(fingerprint.status().message(), "; and ",
                                   removed.message()));
}

}  // namespace inkstream::store
