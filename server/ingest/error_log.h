// What was wrong with the records that were left out.
//
// Thread safety: one thread at a time; a log a chunk, merged in input order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace inkstream::ingest {

// Kinds of bad records; the names in errors.json are in error_log.cc.
enum class ErrorKind : uint8_t {
  kBrokenJson,
  kNotAnObject,
  kNotANumber,
  kBadNumber,
  kInvalidUtf8,
  kNulByte,
  kTooDeep,
  kLineTooLong,
  kDuplicateKey,
  kNoDrawing,
  kBadDrawing,
  kNoStrokes,
  kEmptyStroke,
  kUnequalXy,
  kNotWhole,
  kOutOfRange,
  kTooLarge,
  kBadWord,
  kBadCountrycode,
  kBadTimestamp,
  kBadRecognized,
  kBadKeyId,
  kBadRow,
  kBadSplit,
  kUnknownWord,
};
inline constexpr size_t kErrorKinds = 25;

absl::string_view ErrorKindName(ErrorKind kind);

// The kind of a refusal by store::ValidateDrawing, whose texts name the field
// first.
ErrorKind KindOfStoreRule(absl::string_view message);

struct ErrorExample {
  size_t file = 0;      // place in the list of inputs
  uint64_t line = 0;    // from 1, in the decompressed file
  uint64_t offset = 0;  // of the record's first byte, in the decompressed file
  ErrorKind kind = ErrorKind::kBrokenJson;
  std::string reason;
  std::string input;  // escaped, at most kMaxInputCharacters
};

class ErrorLog {
 public:
  static constexpr size_t kExamplesPerKind = 100;
  static constexpr size_t kMaxInputCharacters = 200;

  // Counts a bad record and keeps it as an example while there is room.
  void Add(ErrorKind kind, size_t file, uint64_t line, uint64_t offset,
           absl::string_view reason, absl::string_view input);

  // Appends the log of records that stand later.
  void Merge(const ErrorLog& later);

  uint64_t total() const { return total_; }
  uint64_t count(ErrorKind kind) const {
    return counts_[static_cast<size_t>(kind)];
  }
  const std::vector<ErrorExample>& examples() const { return examples_; }

  // The errors file: {"read", "kept", "skipped", "by_kind", "examples"}.
  // `files`: the names of the inputs.
  std::string ToJson(uint64_t read, uint64_t kept,
                     const std::vector<std::string>& files) const;

  // For a checkpoint of the ingest, and back: throws nlohmann's exceptions.
  nlohmann::ordered_json Save() const;
  static ErrorLog Saved(const nlohmann::ordered_json& json);

  // "broken_json: 3, out_of_range: 1".
  std::string Summary() const;

 private:
  nlohmann::ordered_json CountsByKind() const;

  uint64_t total_ = 0;
  std::array<uint64_t, kErrorKinds> counts_ = {};
  std::vector<ErrorExample> examples_;
};

}  // namespace inkstream::ingest
