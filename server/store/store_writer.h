// Write side of a store: appends drawings in index order into immutable
// segments and publishes them under a MANIFEST.
//
// A new store is built in `PATH.partial` and renamed when Finish() succeeds, so
// that it appears under its name only when it is complete. What is to stand in
// a directory that is there (a store that is added to, or an empty one such as
// a mount point) is built in `PATH/.partial` and moved up, its MANIFEST last.
// Segments that are finished, and a CHECKPOINT that names them, survive
// whatever ends the process: a writer with options.resume goes on behind them.
//
// Thread safety: the object is for one thread; encoding runs on threads of its
// own (options.threads). The bytes written do not depend on their number.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "inkstream/drawing.h"
#include "server/store/writing/packed_drawings.h"

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
  // Go on behind a writer that was interrupted, with the same `job`.
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
  // ALREADY_EXISTS: a store, or something else, is at `path`. NOT_FOUND:
  // nothing to append to. FAILED_PRECONDITION: another process is writing, or
  // what an interrupted one left is of another job. INVALID_ARGUMENT: nothing
  // can be built there; bad splits, or other ones than the store's.
  static absl::StatusOr<std::unique_ptr<StoreWriter>> Create(
      const std::string& path, const WriterOptions& options);

  // Destroying an unfinished writer leaves what is durable; Discard() removes
  // it.
  virtual ~StoreWriter() = default;

  // Takes the next drawings, in index order, and keeps them until they are
  // encoded (on threads of its own; blocks while too much is queued).
  // REQUIRES: every drawing passed ValidateDrawing of drawing_rules.h.
  // `resume_point`: called, during the call, where a segment ends in front of
  // one of them; its text is kept with the segment.
  virtual absl::Status Append(
      PackedDrawings drawings,
      const std::function<std::string()>& resume_point) = 0;
  absl::Status Append(PackedDrawings drawings) {
    return Append(std::move(drawings), [] { return std::string(); });
  }
  absl::Status Append(const std::vector<Drawing>& drawings) {
    return Append(PackedDrawings(drawings));
  }

  // Writes what is queued, syncs, publishes. Returns the content's fingerprint.
  // `resume_point`: kept with the last segment, should publishing fail.
  virtual absl::StatusOr<std::string> Finish(std::string resume_point) = 0;
  absl::StatusOr<std::string> Finish() { return Finish(""); }

  virtual absl::Status Discard() = 0;

  virtual uint64_t drawings() const = 0;  // appended so far, ever

  // Drawings of this job that finished segments hold from before: what is
  // appended next must be the one behind them.
  virtual uint64_t taken_over() const = 0;
  // The text that was kept with the last of them; "": none was.
  virtual std::string resume_point() const = 0;
  // Drawings of this job that are durable now; never falls.
  virtual uint64_t durable() const = 0;
  // Where it is built: a job may keep files of its own there, which go with it.
  virtual const std::string& directory() const = 0;

  // Whether `job` is done: publishes it where only that was left to do.
  static absl::StatusOr<bool> IsComplete(const std::string& path,
                                         const std::string& job);
};

}  // namespace inkstream::store
