// Read side of a store: one generation, memory-mapped, immutable.
//
// Ownership: a StoreReader owns its maps; everything that borrows from it
// (DrawingReader) holds a shared_ptr to it. Memory caveats: pages come from the
// page cache. A file that is truncated under the map is DATA_LOSS where it is
// touched first; where it was read before, the kernel may send SIGBUS: see
// mapped_file.h, and store_health.h for what an accessor gave then.
//
// Thread safety: const methods are safe from any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "inkstream/drawing.h"
#include "server/store/strokes/byte_strokes.h"
#include "server/store/writing/delta_sums.h"

namespace inkstream::store {

// A named subset: drawings that were put into it by name when they were
// ingested, and of those that were put into none, the ones whose split hash
// lies in [low, high). StoreReader::InSplit tells.
struct SplitInfo {
  std::string name;
  // Canonical text of who is in it, e.g. hash:inkstream/1:[0,0.9) or
  // file:0c1f2e3d4b5a6978, where the number stands for the very members.
  std::string rule;
  uint64_t low = 0;
  uint64_t high = 0;  // exclusive; UINT64_MAX includes the last hash
  uint64_t drawings = 0;
  // What named the drawings: file, directory, recognized, list or source;
  // empty where only the hash decides.
  std::string listed_by = "";
  // Of those named: sum of the first eight bytes of their hashes.
  uint64_t members = 0;
  DeltaSums deltas = {};
  // Standard deviation of dx and dy of all points after a drawing's first, in
  // canvas units; 0: not known (stores of the first releases).
  double delta_std = 0;
};

struct StoreInfo {
  std::string name;         // as ingested, e.g. quickdraw
  std::string fingerprint;  // SHA-256, lower-case hex
  uint64_t generation = 0;
  uint64_t drawings = 0;
  uint64_t bytes_on_disk = 0;
  std::vector<std::string> classes;    // label order
  std::vector<uint64_t> class_counts;  // same order
  uint64_t unlabelled = 0;             // drawings without a word
  std::vector<SplitInfo> splits;
  // No class but these was let in (--classes-file).
  bool fixed_classes = false;
  uint64_t duplicates = 0;     // drawings whose key_id an earlier one has; kept
  uint64_t dropped = 0;        // the same, left out
  bool listed_splits = false;  // some split names its drawings
  DeltaSums deltas;
  double delta_std = 0;  // as SplitInfo's, of the whole store
  // Drawings that have the column.
  uint64_t with_countrycode = 0;
  uint64_t with_timestamp = 0;
  uint64_t with_recognized = 0;
  uint64_t with_key_id = 0;
  uint64_t with_times = 0;  // raw drawings, kept as they were drawn
  bool has_times = false;   // any of them; the others have an empty t
};

struct OpenOptions {
  // 0: the newest. Others: NOT_FOUND names those there are.
  uint64_t generation = 0;
  // "": whatever it has. Otherwise the generation with this fingerprint, among
  // those that the directory still has; NOT_FOUND names the newest.
  std::string fingerprint = "";
  // Checks every column now, which takes as long as reading them (some 20 bytes
  // a drawing), instead of each run of 16,384 drawings when it is touched
  // first. For who reads them all, or cannot do with an error later.
  bool check_columns = false;
  // Reads the whole store once so that later reads do not wait for the disk.
  bool preload = false;
};

// Columns by name, for those who read many values at once.
enum class StoreColumn : uint8_t {
  kLabel,
  kKeyId,
  kTimestamp,
  kRecognized,
  kCountrycode,
  kSplitHash,
};

class DrawingReader;

class StoreReader : public std::enable_shared_from_this<StoreReader> {
 public:
  // Reads trees and tables, not columns and strokes: some milliseconds a
  // segment. NOT_FOUND: no such directory, or not a store. FAILED_PRECONDITION:
  // a format version of another release. DATA_LOSS: truncated or damaged, with
  // the file and what was expected and found.
  static absl::StatusOr<std::shared_ptr<const StoreReader>> Open(
      const std::string& path, const OpenOptions& options = {});

  virtual ~StoreReader() = default;
  virtual const StoreInfo& info() const = 0;
  virtual const std::string& path() const = 0;
  uint64_t size() const { return info().drawings; }

  // A reader with its own scratch memory, for one thread at a time.
  virtual std::unique_ptr<DrawingReader> NewDrawingReader() const = 0;

  // Columns in O(1), without touching strokes. Of a column that is damaged, as
  // if there was no value, and CheckIntact (store_health.h) fails from then on.
  // REQUIRES: index < size().
  virtual int32_t Label(uint64_t index) const = 0;            // -1: none
  virtual int64_t KeyId(uint64_t index) const = 0;            // -1: none
  virtual int64_t TimestampMicros(uint64_t index) const = 0;  // INT64_MIN: none
  virtual int32_t Recognized(uint64_t index) const = 0;       // 0, 1, -1: none
  // Index into countrycodes(); -1: none.
  virtual int32_t Countrycode(uint64_t index) const = 0;
  virtual const std::vector<std::string>& countrycodes() const = 0;  // sorted

  // Place of a drawing in split order: uniform over 64 bits, the same for every
  // input order, shard, append and merge.
  virtual uint64_t SplitHash(uint64_t index) const = 0;

  // The split (place in info().splits) that the drawing was put into by name;
  // -1: none, so its hash decides.
  virtual int32_t ListedSplit(uint64_t) const { return -1; }

  // Whether a drawing is in info().splits[split]. REQUIRES: split <
  // info().splits.size(), index < size().
  bool InSplit(size_t split, uint64_t index) const {
    if (info().listed_splits) {
      const int32_t listed = ListedSplit(index);
      if (listed >= 0) return static_cast<size_t>(listed) == split;
    }
    const SplitInfo& range = info().splits[split];
    const uint64_t hash = SplitHash(index);
    return hash >= range.low && (hash < range.high || range.high == UINT64_MAX);
  }
  // Place in info().splits; -1: in none. REQUIRES: index < size().
  int32_t SplitOf(uint64_t index) const {
    for (size_t s = 0; s < info().splits.size(); ++s) {
      if (InSplit(s, index)) return static_cast<int32_t>(s);
    }
    return -1;
  }

  // Values [first, first + out.size()) of a column, as the accessors above give
  // them (hashes bit for bit). REQUIRES: the end <= size().
  virtual void ReadColumn(StoreColumn column, uint64_t first,
                          absl::Span<int64_t> out) const;

  // Index of the first drawing with this key. NOT_FOUND otherwise. May scan the
  // key column (milliseconds per million drawings).
  virtual absl::StatusOr<uint64_t> FindKey(int64_t key_id) const = 0;

  // Share of the files' bytes that lie in memory now, by a sample of their
  // pages: 0..1.
  virtual double ResidentShare() const { return 1; }

  // Asks the kernel to read the blocks of these drawings soon.
  virtual void WillNeed(absl::Span<const uint64_t> indices) const = 0;
};

// Decodes drawings. Not thread safe: one a thread. Holds its store open.
class DrawingReader {
 public:
  virtual ~DrawingReader() = default;

  // Strokes only, in canvas units; t too where the drawing is a raw one. The
  // view is valid until the next call. DATA_LOSS: the block's checksum or its
  // content is wrong; names index and store.
  virtual absl::StatusOr<StrokesView> ReadStrokes(uint64_t index) = 0;

  // Finds the records of these and checks their blocks, which is all that may
  // have to wait for a disk; what is wrong is told when they are read.
  virtual void Find(absl::Span<const int64_t> indices) {
    found_.assign(indices.begin(), indices.end());
  }
  // Decodes the i-th of those; otherwise as ReadStrokes().
  virtual absl::StatusOr<StrokesView> ReadFound(size_t i) {
    return ReadStrokes(static_cast<uint64_t>(found_[i]));
  }

  // The same as bytes, of a drawing that is kept as such; nothing: read it with
  // ReadFound().
  virtual absl::StatusOr<std::optional<ByteStrokes>> ReadFoundBytes(
      size_t /*i*/) {
    return std::nullopt;
  }

  // Everything, as it was ingested.
  virtual absl::Status ReadDrawing(uint64_t index, Drawing* drawing) = 0;

 private:
  std::vector<int64_t> found_;
};

}  // namespace inkstream::store
