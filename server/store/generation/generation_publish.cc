#include "server/store/generation/generation_publish.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/store/format.h"
#include "server/store/generation/file_sync.h"

namespace inkstream::store {
namespace {

std::vector<std::string> FilesOf(const Manifest& manifest) {
  std::vector<std::string> files;
  for (const SegmentEntry& entry : manifest.segments) {
    files.push_back(entry.file);
  }
  return files;
}

// What was the newest generation stays, under its number.
absl::Status KeepReplaced(const std::string& store, uint64_t generation) {
  const absl::StatusOr<std::string> replaced =
      ReadWholeFile(absl::StrCat(store, "/", kManifestName), kMaxManifestBytes);
  if (!replaced.ok()) return replaced.status();
  // Written, not linked: not every file system has links.
  return ReplaceFile(absl::StrCat(store, "/", ManifestNameOf(generation)),
                     *replaced);
}

// Drops what is not the store's and renames the directory.
absl::Status PublishBeside(StagingDirectory* staging,
                           const Manifest& manifest) {
  std::vector<std::string> keep = FilesOf(manifest);
  keep.push_back(kManifestName);
  if (absl::Status s = staging->Clear(keep); !s.ok()) return s;
  return staging->Publish();
}

}  // namespace

absl::Status PublishGeneration(StagingDirectory* staging,
                               const Manifest& manifest) {
  if (!staging->inside()) {
    absl::Status s = WriteManifest(staging->directory(), manifest);
    return s.ok() ? PublishBeside(staging, manifest) : s;
  }
  absl::Status s = staging->MoveIntoStore(FilesOf(manifest));
  if (!s.ok()) return s;
  if (manifest.info.generation > 1) {
    s = KeepReplaced(staging->path(), manifest.info.generation - 1);
    if (!s.ok()) return s;
  }
  if (s = WriteManifest(staging->path(), manifest); !s.ok()) return s;
  return staging->Remove();
}

absl::StatusOr<Manifest> ReadCheckpoint(const StagingDirectory& staging,
                                        const WriterOptions& options,
                                        uint64_t generation) {
  absl::StatusOr<Manifest> checkpoint =
      ReadManifest(staging.directory(), nullptr, kCheckpointName);
  if (!checkpoint.ok()) {
    // Begun, but nothing was durable yet; or damaged, which costs time only.
    return absl::NotFoundError(checkpoint.status().message());
  }
  if (checkpoint->job != options.job) {
    return absl::FailedPreconditionError(absl::StrCat(
        staging.directory(),
        " is of an ingest with other inputs or options: give --resume the very "
        "same ones, or begin anew without --resume"));
  }
  if (checkpoint->info.generation != generation) {
    return absl::FailedPreconditionError(
        absl::StrCat(staging.directory(), " adds to generation ",
                     checkpoint->info.generation, " of ", staging.path(),
                     ", which has generation ", generation,
                     "; begin the append anew without --resume"));
  }
  return checkpoint;
}

std::vector<std::string> FilesToKeep(const std::string& directory,
                                     const Manifest& checkpoint) {
  const std::vector<std::string> named = FilesOf(checkpoint);
  std::vector<std::string> keep;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    const bool segment = absl::EndsWith(name, ".mdb");
    if (!segment ||
        std::find(named.begin(), named.end(), name) != named.end()) {
      keep.push_back(name);
    }
  }
  return keep;
}

absl::Status CheckSameSplits(const WriterOptions& options,
                             const std::vector<SplitInfo>& asked,
                             const StoreInfo& existing) {
  if (options.splits.empty()) return absl::OkStatus();
  std::string has;
  size_t same = 0;
  for (const SplitInfo& split : existing.splits) {
    absl::StrAppend(&has, has.empty() ? "" : ", ", split.name, " ", split.rule);
    for (const SplitInfo& one : asked) {
      same += one.name == split.name && one.low == split.low &&
              one.high == split.high;
    }
  }
  if (same == asked.size()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--split: a store keeps the splits it was made with (", has,
                   "); leave --split out"));
}

absl::StatusOr<bool> StoreWriter::IsComplete(const std::string& path,
                                             const std::string& job) {
  const StorePlace place = PlaceOf(path);
  if (place.inside) {
    const absl::StatusOr<Manifest> done = ReadManifest(place.path, nullptr);
    if (!done.ok() || done->job != job) return false;
    const absl::StatusOr<Manifest> checkpoint =
        ReadManifest(place.directory, nullptr, kCheckpointName);
    if (!checkpoint.ok()) return true;
    // The same append again was begun behind this one.
    if (checkpoint->info.generation == done->info.generation) return false;
    // Only the cleaning up was left.
    absl::StatusOr<std::unique_ptr<StagingDirectory>> staging =
        StagingDirectory::Open(path, true);
    if (!staging.ok()) return staging.status();
    if (absl::Status s = (*staging)->Remove(); !s.ok()) return s;
    return true;
  }
  const absl::StatusOr<Manifest> unnamed =
      ReadManifest(place.directory, nullptr);
  if (!unnamed.ok() || unnamed->job != job) return false;
  absl::StatusOr<std::unique_ptr<StagingDirectory>> staging =
      StagingDirectory::Open(path, false);
  if (!staging.ok()) return staging.status();
  if (absl::Status s = PublishBeside(staging->get(), *unnamed); !s.ok()) {
    return s;
  }
  return true;
}

}  // namespace inkstream::store
