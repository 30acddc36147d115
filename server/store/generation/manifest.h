// The MANIFEST: one generation of a store, as text. Replaced by rename, so a
// reader sees the old one or the new one.
//
// Thread safety: plain value; functions are safe from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/store/format.h"
#include "server/store/generation/dropped_runs.h"
#include "server/store/store_reader.h"

namespace inkstream::store {

inline constexpr uint64_t kMaxManifestBytes = uint64_t{1} << 30;
// Of a store with raw drawings.
inline constexpr char kRawFeature[] = "raw";
// The last member, behind which nothing comes but kManifestEnd.
inline constexpr char kChecksumKey[] = ",\n  \"checksum\": \"";
inline constexpr char kManifestEnd[] = "\"\n}\n";

struct SegmentEntry {
  std::string file;  // name in the store's directory
  uint64_t first = 0;
  uint64_t drawings = 0;
  uint64_t bytes = 0;
  std::string content;  // hex, as in its header
};

struct Manifest {
  StoreInfo info;  // bytes_on_disk is not stored; the reader counts it
  std::vector<SegmentEntry> segments;
  // Drawings of the segments that are not in the store: they repeat a key_id.
  DroppedRuns dropped;
  // Digest of the ingest that made this generation; empty: none given.
  std::string job;
  // Of a CHECKPOINT: what the writer's caller goes on from, in its own words.
  std::string resume_point;

  std::string ToText() const;
};

// `path` is for messages. FAILED_PRECONDITION: another format version.
// DATA_LOSS: damaged.
absl::StatusOr<Manifest> ParseManifest(absl::string_view text,
                                       const std::string& path);

// A checksum, a bound of a split: 16 digits.
std::string ManifestHex(uint64_t number);

// Reads DIRECTORY/MANIFEST, or the file of another name in it. NOT_FOUND: no
// directory, or no store in it. `bytes`: if not null, the size of the file.
absl::StatusOr<Manifest> ReadManifest(const std::string& directory,
                                      uint64_t* bytes,
                                      const std::string& name = kManifestName);

// Writes DIRECTORY/NAME through a temporary file: synced, then renamed.
absl::Status WriteManifest(const std::string& directory,
                           const Manifest& manifest,
                           const std::string& name = kManifestName);

// The name that a generation's MANIFEST keeps once it is replaced:
// MANIFEST.000001.
std::string ManifestNameOf(uint64_t generation);

// The names of those that DIRECTORY has, in no order.
std::vector<std::string> OlderManifests(const std::string& directory);

}  // namespace inkstream::store
