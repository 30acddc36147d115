// Write side of a store: appends drawings in index order into immutable
// segments and publishes them under a MANIFEST.
//
// A new store is built in `PATH.partial` and renamed when Finish() succeeds, so
// that it appears under its name only when it is complete.
//
// Thread safety: the object is for one thread; encoding runs on threads of its
// own (options.threads). The bytes written do not depend on their number.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "inkstream/drawing.h"

namespace inkstream::store {

// One entry of `--split name=fraction,...`; fractions sum to at most 1.
struct SplitFraction {
  std::string name;
  double fraction = 0;
};

struct WriterOptions {
  std::string name = "quickdraw";
  // Empty: one split "train" with everything.
  std::vector<SplitFraction> splits;
  // What sets Drawing::split, for the rule that Describe shows: "file",
  // "directory", "recognized", "list", or "source" for the input's own.
  std::string listed_by = "source";
  int threads = 0;  // encoder threads; 0: one a core
  // Drawings a segment at most; 0: the format's own limit (8,388,608).
  uint64_t segment_drawings = 0;
};

class StoreWriter {
 public:
  // ALREADY_EXISTS if `path` exists (the message names --append and --resume).
  static absl::StatusOr<std::unique_ptr<StoreWriter>> Create(
      const std::string& path, const WriterOptions& options);

  // Destroying an unfinished writer leaves `PATH.partial`; Discard() removes
  // it.
  virtual ~StoreWriter() = default;

  // Takes the next drawings, in index order; the writer may keep the vector
  // (encoding happens on its threads; Append blocks while too much is queued).
  // REQUIRES: every drawing passed ValidateDrawing of drawing_rules.h.
  virtual absl::Status Append(std::vector<Drawing> drawings) = 0;

  // Writes what is queued, syncs, publishes. Returns the content's fingerprint.
  virtual absl::StatusOr<std::string> Finish() = 0;

  virtual absl::Status Discard() = 0;

  virtual uint64_t drawings() const = 0;  // appended so far
};

}  // namespace inkstream::store
