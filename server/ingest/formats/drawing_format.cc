#include "server/ingest/formats/drawing_format.h"

#include <algorithm>
#include <iterator>

#include "server/base/json_text.h"

namespace inkstream::ingest {
namespace {

constexpr size_t kMaxShownName = 64;

// In the order of DrawingField.
constexpr absl::string_view kFields[] = {
    "drawing",    "word",   "countrycode", "timestamp",
    "recognized", "key_id", "split"};

}  // namespace

DrawingField FieldNamed(absl::string_view name) {
  return static_cast<DrawingField>(
      std::find(std::begin(kFields), std::end(kFields), name) -
      std::begin(kFields));
}

void KeyCounts::Add(absl::string_view name, uint64_t count) {
  std::string shown = PrintableText(name, kMaxShownName);
  if (counts_.size() >= kMaxNames && counts_.count(shown) == 0) {
    shown = kOthers;
  }
  counts_[shown] += count;
}

void KeyCounts::Merge(const KeyCounts& other) {
  for (const auto& [name, count] : other.counts_) Add(name, count);
}

void RecordCounts::Merge(const RecordCounts& later) {
  read += later.read;
  errors.Merge(later.errors);
  unknown_keys.Merge(later.unknown_keys);
  null_values.Merge(later.null_values);
  other_forms.Merge(later.other_forms);
  simplified += later.simplified;
  kept_raw += later.kept_raw;
}

}  // namespace inkstream::ingest
