#include "server/store/unit_encoder.h"

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "server/store/fingerprint.h"
#include "server/store/format.h"
#include "server/store/raw_codec.h"
#include "server/store/record_codec.h"
#include "server/store/split_hash.h"

namespace inkstream::store {
namespace {

// Ranks of strings by first appearance.
class Ranks {
 public:
  explicit Ranks(std::vector<std::string>* names) : names_(names) {}

  int64_t Of(const std::string& name) {
    // Files are sorted by word: most names repeat the one before.
    if (last_ >= 0 && (*names_)[last_] == name) return last_;
    const auto [it, added] = ranks_.try_emplace(name, names_->size());
    if (added) names_->push_back(name);
    return last_ = it->second;
  }

 private:
  std::vector<std::string>* names_;
  absl::flat_hash_map<std::string, int64_t> ranks_;
  int64_t last_ = -1;
};

}  // namespace

EncodedUnit EncodeUnit(const StrokeModel& model,
                       const std::vector<Drawing>& drawings) {
  EncodedUnit unit;
  unit.lengths.reserve(drawings.size());
  unit.columns.reserve(drawings.size());
  unit.hashes.reserve(drawings.size());
  unit.split_hashes.reserve(drawings.size());
  unit.deltas.reserve(drawings.size());
  Ranks words(&unit.words);
  Ranks countrycodes(&unit.countrycodes);
  Ranks splits(&unit.splits);
  Sha256 sha;
  std::string canonical;
  for (const Drawing& drawing : drawings) {
    const size_t before = unit.records.size();
    if (drawing.raw.empty()) {
      EncodeRecord(model, drawing.strokes(), &unit.records);
    } else {
      EncodeRawRecord(drawing, &unit.records);
    }
    unit.raw.push_back(!drawing.raw.empty());
    unit.lengths.push_back(static_cast<uint32_t>(unit.records.size() - before));

    canonical.clear();
    AppendCanonical(drawing, &canonical);
    sha.Update(canonical);
    unit.hashes.push_back(sha.Finish());

    ColumnValues& columns = unit.columns.emplace_back();
    const auto column = [&](ColumnKind kind) -> std::optional<int64_t>& {
      return columns[static_cast<size_t>(kind)];
    };
    if (drawing.word) column(ColumnKind::kWord) = words.Of(*drawing.word);
    if (drawing.countrycode) {
      column(ColumnKind::kCountrycode) = countrycodes.Of(*drawing.countrycode);
    }
    if (drawing.timestamp) {
      column(ColumnKind::kTimestamp) = drawing.timestamp->micros;
      column(ColumnKind::kTrailingZeros) = drawing.timestamp->trailing_zeros;
    }
    if (drawing.recognized) {
      column(ColumnKind::kRecognized) = *drawing.recognized;
    }
    uint64_t split_hash;
    if (drawing.key_id) {
      column(ColumnKind::kKeyId) = *drawing.key_id;
      split_hash = SplitHashOfKey(*drawing.key_id);
    } else {
      split_hash = SplitHashOfStrokes(drawing);
      column(ColumnKind::kStrokesHash) = static_cast<int64_t>(split_hash);
    }
    unit.split_hashes.push_back(split_hash);
    if (drawing.split) column(ColumnKind::kSplit) = splits.Of(*drawing.split);
    unit.deltas.emplace_back().Add(drawing.strokes());
  }
  return unit;
}

}  // namespace inkstream::store
