#include "server/store/store_writer.h"

#include <utility>

#include "server/store/generation/generation_publish.h"
#include "server/store/generation/manifest.h"
#include "server/store/generation/staging_directory.h"
#include "server/store/writing/content_counts.h"
#include "server/store/writing/segmented_writer.h"
#include "server/store/writing/split_hash.h"

namespace inkstream::store {

absl::StatusOr<std::unique_ptr<StoreWriter>> StoreWriter::Create(
    const std::string& path, const WriterOptions& options) {
  absl::StatusOr<std::vector<SplitInfo>> splits = MakeSplits(options.splits);
  if (!splits.ok()) return splits.status();
  absl::StatusOr<std::unique_ptr<StagingDirectory>> staging =
      StagingDirectory::Open(path, options.append);
  if (!staging.ok()) return staging.status();
  ContentCounts counts(*splits, options.listed_by);
  Manifest start;
  start.info.name = options.name;
  start.info.fixed_classes = !options.classes.empty();
  uint64_t base = 0;
  if (options.append) {
    absl::StatusOr<Manifest> existing =
        ReadManifest((*staging)->path(), nullptr);
    if (!existing.ok()) return existing.status();
    if (absl::Status s = CheckSameSplits(options, *splits, existing->info);
        !s.ok()) {
      return s;
    }
    start = *std::move(existing);
    counts = ContentCounts(start.info, options.listed_by);
    if (!start.segments.empty()) {
      base = start.segments.back().first + start.segments.back().drawings;
    }
  }
  start.job = options.job;
  std::vector<std::string> keep;
  if (options.resume) {
    absl::StatusOr<Manifest> checkpoint =
        ReadCheckpoint(**staging, options, start.info.generation);
    if (checkpoint.ok()) {
      start = *std::move(checkpoint);
      counts = ContentCounts(start.info, options.listed_by);
      keep = FilesToKeep((*staging)->directory(), start);
    } else if (!absl::IsNotFound(checkpoint.status())) {
      return checkpoint.status();
    }
  }
  if (absl::Status s = (*staging)->Clear(keep); !s.ok()) return s;
  auto writer = std::make_unique<SegmentedWriter>(
      *std::move(staging), options, std::move(counts), std::move(start), base);
  if (absl::Status s = writer->Start(); !s.ok()) return s;
  return writer;
}

}  // namespace inkstream::store
