// A foreign format: how an input is cut into runs of records, and how a run is
// read. A new format is one value of DrawingFormat and a line in
// input_format.cc.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/ingest/error_log.h"
#include "server/ingest/input/byte_source.h"
#include "server/ingest/input/record_chunk.h"
#include "server/store/writing/packed_drawings.h"

namespace inkstream::ingest {

// What a drawing has, as formats name it.
enum class DrawingField : uint8_t {
  kDrawing,
  kWord,
  kCountrycode,
  kTimestamp,
  kRecognized,
  kKeyId,
  kSplit,
  kUnknown,
};
DrawingField FieldNamed(absl::string_view name);

// Keys that a store has no column for: left out, counted, reported.
class KeyCounts {
 public:
  // Further names are counted together: hostile input has millions.
  static constexpr size_t kMaxNames = 100;
  static constexpr char kOthers[] = "(others)";

  void Add(absl::string_view name, uint64_t count = 1);
  void Merge(const KeyCounts& other);
  const std::map<std::string, uint64_t>& counts() const { return counts_; }

 private:
  std::map<std::string, uint64_t> counts_;
};

// What was seen in records.
struct RecordCounts {
  uint64_t read = 0;  // drawings and bad records
  ErrorLog errors;
  KeyCounts unknown_keys;
  KeyCounts null_values;    // read as missing, by key
  KeyCounts other_forms;    // values not as Google writes them, by key and form
  uint64_t simplified = 0;  // raw drawings, good and bad
  uint64_t kept_raw = 0;    // raw drawings, kept as they were drawn

  // Adds those of records that stand later.
  void Merge(const RecordCounts& later);
};

// What a run of records was read into.
struct ParsedChunk : RecordCounts {
  store::PackedDrawings drawings;  // in input order, all of them valid
  // Of each drawing; empty unless ParserOptions::places.
  std::vector<RecordPlace> places;
};

struct ParserOptions {
  // Raw drawings are kept as they were drawn, not simplified.
  bool keep_raw = false;
  // Drawings without times are bad ones.
  bool only_raw = false;
  // ParsedChunk says where each drawing stands.
  bool places = false;
};

// Cuts one input. One thread at a time.
class RecordCutter {
 public:
  virtual ~RecordCutter() = default;
  // Fills everything but `file`; false: the end. Errors name the input.
  virtual absl::StatusOr<bool> Next(RecordChunk* chunk) = 0;
};

// Reads runs. One object a thread.
class RecordParser {
 public:
  virtual ~RecordParser() = default;
  // Never fails: what is wrong is in the result.
  virtual ParsedChunk Parse(const RecordChunk& chunk) = 0;
};

struct DrawingFormat {
  std::unique_ptr<RecordCutter> (*new_cutter)(
      std::unique_ptr<ByteSource> source, const std::string& name);
  std::unique_ptr<RecordParser> (*new_parser)(const ParserOptions& options);
  // Whether an input that begins so is of this format; null: text that is of no
  // other.
  bool (*matches)(absl::string_view beginning) = nullptr;
  // Whether any line of an input can be its first: then a plain file is cut
  // into shards at line ends and taken up again in its middle.
  bool lines_are_records = false;
};

// Each is described at the top of its source, NAME_format.cc.
extern const DrawingFormat kNdjsonFormat;
extern const DrawingFormat kJsonArrayFormat;
extern const DrawingFormat kCsvFormat;
extern const DrawingFormat kBinFormat;

}  // namespace inkstream::ingest
