// Facts of the store's files, stated once for writer and reader. FORMAT.md has
// the picture, every byte and the reasons. Numbers here are on disk: never
// renumber, never reuse.
#pragma once

#include <cstddef>
#include <cstdint>

namespace inkstream::store {

inline constexpr char kManifestName[] = "MANIFEST";
inline constexpr char kLockName[] = "LOCK";
// In PATH.partial: a MANIFEST of what is durable so far.
inline constexpr char kCheckpointName[] = "CHECKPOINT";
inline constexpr char kPartialSuffix[] = ".partial";
inline constexpr char kManifestMagic[] = "inkstream store";

// Readers refuse any other value: see "Version rule" in FORMAT.md.
inline constexpr uint64_t kFormatVersion = 1;

// Drawings in one segment at most. Segments are the unit of resume and merge.
inline constexpr uint64_t kSegmentDrawings = uint64_t{1} << 23;
// Drawings that a writer puts in a segment unless told otherwise: what a
// resumed ingest encodes again at most, so some seconds of work. A multiple of
// kFoldRun.
inline constexpr uint64_t kUsualSegmentDrawings = uint64_t{1} << 20;
// A segment is also closed when its drawings have this many points (about 4 GiB
// at one byte a coordinate).
inline constexpr uint64_t kSegmentPoints = uint64_t{1} << 31;
// Drawings whose columns share one value and one set of bit widths.
inline constexpr uint32_t kColumnRunBits = 14;
inline constexpr uint32_t kColumnRun = 1U << kColumnRunBits;
// Drawings whose hashes are folded into one SHA-256.
inline constexpr uint64_t kFoldRun = 65536;
// Drawings from which a segment's stroke model is trained.
inline constexpr uint64_t kTrainingDrawings = 16384;
// Drawings that one encoder takes at a time.
inline constexpr uint64_t kUnitDrawings = 2048;
// A unit also ends, and training too, when their drawings have this many
// points: what is held in memory does not grow with the drawings.
inline constexpr uint64_t kUnitPoints = uint64_t{1} << 18;
inline constexpr uint64_t kTrainingPoints = uint64_t{1} << 21;

// LMDB's header of a run of overflow pages.
inline constexpr size_t kLmdbPageHeader = 16;
inline constexpr size_t kPageBytes = 4096;
// A block of this size fills one overflow page.
inline constexpr size_t kBlockBytes = kPageBytes - kLmdbPageHeader;
// Raw drawings are larger: four pages leave less of them unused.
inline constexpr size_t kRawBlockBytes = 4 * kPageBytes - kLmdbPageHeader;
// A drawing larger than that stands alone in a longer block.
inline constexpr size_t kMaxBlockBytes = size_t{1} << 21;
inline constexpr size_t kMaxTableBytes = size_t{1} << 28;

// Every value ends with the XXH3-64 of what is before it.
inline constexpr size_t kChecksumBytes = 8;

// Limits of a drawing; drawing_rules.h checks them.
inline constexpr uint32_t kMaxPoints = 65535;  // all strokes together
inline constexpr double kMaxRawPixel = 1e6;
inline constexpr double kMaxRawMillis = 9007199254740992.0;  // 2^53
inline constexpr size_t kMaxWordBytes = 255;
inline constexpr size_t kMaxCountrycodeBytes = 16;
inline constexpr size_t kMaxSplitNameBytes = 64;

// First byte of a value.
enum class ValueKind : uint8_t {
  kStrokeBlock = 'S',
  kRawBlock = 'R',
  kColumnRun = 'C',
  kTable = 'T',
};

// Names of the databases inside a segment.
inline constexpr char kStrokesDb[] = "strokes";
inline constexpr char kColumnsDb[] = "columns";
inline constexpr char kTablesDb[] = "tables";

// Keys of the tables database.
inline constexpr char kHeaderTable[] = "header";
inline constexpr char kModelTable[] = "model";
inline constexpr char kWordsTable[] = "words";
inline constexpr char kCountrycodesTable[] = "countrycodes";
inline constexpr char kFoldsTable[] = "folds";
// Only where a drawing was put into a split by name.
inline constexpr char kSplitsTable[] = "splits";

enum class ColumnKind : uint8_t {
  kWord = 0,         // rank in the segment's words table
  kCountrycode = 1,  // rank in the segment's countrycodes table
  kTimestamp = 2,    // microseconds since 1970 UTC
  kTrailingZeros = 3,
  kRecognized = 4,
  kKeyId = 5,
  kStrokesHash = 6,  // split hash of drawings without a key_id
  kSplit = 7,        // rank in the segment's splits table
};
inline constexpr size_t kColumnKinds = 8;

// Names in "requires" of a MANIFEST.
inline constexpr char kListedSplitsFeature[] = "listed splits";
inline constexpr char kDroppedFeature[] = "dropped drawings";

}  // namespace inkstream::store
