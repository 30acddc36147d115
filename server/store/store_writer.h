// Write side of a store: appends drawings in index order into immutable
// segments and publishes them under a MANIFEST.
//
// A new store is built in `PATH.partial` and renamed when Finish() succeeds, so
// that it appears under its name only when it is complete. What is appended to
// a store is built there too and moved into it, under a new MANIFEST.
// Segments that are finished, and a CHECKPOINT that names them, survive
// whatever ends the process: a writer with options.resume goes on behind them.
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
#include "server/store/packed_drawings.h"

namespace inkstream::store {

// One entry of `--split name=fraction,...`; fractions sum to at most 1.
struct SplitFraction {
  std::string name;
  double fraction = 0;
};

// What becomes of drawings whose key_id an earlier one has.
enum class Duplicates {
  kKeep,   // they are counted
  kFirst,  // they are left out of the store, and counted
  kError,  // Finish refuses them: INVALID_ARGUMENT
};

struct WriterOptions {
  std::string name = "quickdraw";
  // Empty: one split "train" with everything.
  std::vector<SplitFraction> splits;
  // What sets Drawing::split, for the rule that Describe shows: "file",
  // "directory", "recognized", "list", or "source" for the input's own.
  std::string listed_by = "source";
  int threads = 0;  // encoder threads; 0: one a core
  // Drawings a segment at most; 0: 1,048,576.
  uint64_t segment_drawings = 0;
  // Add a generation to a store that exists.
  bool append = false;
  // Go on in PATH.partial where there is one with the same `job`.
  bool resume = false;
  // Digest of everything that decides the bytes written: inputs and options.
  std::string job;
  // Not empty: classes of the store are these, whether they have drawings or
  // not. The caller lets no other words in.
  std::vector<std::string> classes;
  Duplicates duplicates = Duplicates::kKeep;
  // For sorting key_ids.
  uint64_t memory_bytes = uint64_t{128} << 20;
};

class StoreWriter {
 public:
  // ALREADY_EXISTS if `path` exists (the message names --append and --resume).
  // NOT_FOUND: nothing to append to. FAILED_PRECONDITION: another process is
  // writing, or PATH.partial is of another job. INVALID_ARGUMENT: bad splits,
  // or other ones than the store's.
  static absl::StatusOr<std::unique_ptr<StoreWriter>> Create(
      const std::string& path, const WriterOptions& options);

  // Destroying an unfinished writer leaves `PATH.partial`; Discard() removes
  // it.
  virtual ~StoreWriter() = default;

  // Takes the next drawings, in index order, and keeps them until they are
  // encoded (on threads of its own; blocks while too much is queued).
  // REQUIRES: every drawing passed ValidateDrawing of drawing_rules.h.
  virtual absl::Status Append(PackedDrawings drawings) = 0;
  absl::Status Append(const std::vector<Drawing>& drawings) {
    return Append(PackedDrawings(drawings));
  }

  // Writes what is queued, syncs, publishes. Returns the content's fingerprint.
  virtual absl::StatusOr<std::string> Finish() = 0;

  virtual absl::Status Discard() = 0;

  virtual uint64_t drawings() const = 0;  // appended so far, ever

  // Drawings of this job that finished segments hold from before: what is
  // appended next must be the one behind them.
  virtual uint64_t taken_over() const = 0;
  // Drawings of this job that are durable now; never falls.
  virtual uint64_t durable() const = 0;
  // PATH.partial: a job may keep files of its own there, which go with it.
  virtual const std::string& directory() const = 0;

  // Whether `job` is done: publishes it where only that was left to do.
  static absl::StatusOr<bool> IsComplete(const std::string& path,
                                         const std::string& job);
};

}  // namespace inkstream::store
