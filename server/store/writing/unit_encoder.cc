#include "server/store/writing/unit_encoder.h"

#include <cstring>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "server/store/format.h"
#include "server/store/strokes/raw_codec.h"
#include "server/store/strokes/record_codec.h"
#include "server/store/writing/split_hash.h"

namespace inkstream::store {
namespace {

// Ranks of strings by first appearance.
class Ranks {
 public:
  explicit Ranks(std::vector<std::string>* names) : names_(names) {}

  int64_t Of(absl::string_view name) {
    // Files are sorted by word: most names repeat the one before.
    if (last_ >= 0 && (*names_)[last_] == name) return last_;
    const auto [it, added] = ranks_.try_emplace(name, names_->size());
    if (added) names_->emplace_back(name);
    return last_ = it->second;
  }

 private:
  std::vector<std::string>* names_;
  absl::flat_hash_map<std::string, int64_t> ranks_;
  int64_t last_ = -1;
};

class UnitWriter {
 public:
  UnitWriter(const StrokeModel& model, size_t drawings)
      : model_(model),
        words_(&unit_.words),
        countrycodes_(&unit_.countrycodes),
        splits_(&unit_.splits) {
    unit_.columns = ColumnBatch(drawings);
    unit_.lengths.reserve(drawings);
    unit_.raw.reserve(drawings);
    unit_.hashes.reserve(drawings);
    unit_.split_hashes.reserve(drawings);
    unit_.deltas.reserve(drawings);
  }

  void Add(const PackedDrawings& from, size_t i) {
    const PackedDrawing drawing = from[i];
    sha_.Update(drawing.canonical);
    unit_.hashes.push_back(sha_.Finish());
    const uint64_t strokes_hash = AddStrokes(from, i, drawing);
    AddColumns(drawing, from.split(i), strokes_hash);
  }

  EncodedUnit Take() { return std::move(unit_); }

 private:
  // Answers the split hash of a drawing that has no key_id.
  uint64_t AddStrokes(const PackedDrawings& from, size_t i,
                      const PackedDrawing& drawing) {
    const size_t before = unit_.records.size();
    uint64_t hash = 0;
    if (drawing.raw) {
      from.Unpack(i, &raw_);
      EncodeRawRecord(raw_, &unit_.records);
      unit_.deltas.emplace_back().Add(raw_.strokes());
      if (!drawing.key_id) hash = SplitHashOfStrokes(raw_);
    } else {
      stroke_ends_.resize(drawing.strokes);
      std::memcpy(stroke_ends_.data(), drawing.stroke_ends,
                  drawing.strokes * sizeof(uint32_t));
      const ByteStrokes strokes{stroke_ends_,
                                {drawing.x, drawing.points},
                                {drawing.y, drawing.points}};
      EncodeRecord(model_, strokes, &unit_.records);
      unit_.deltas.emplace_back().Add(strokes);
      if (!drawing.key_id) hash = SplitHashOfStrokes(strokes);
    }
    unit_.raw.push_back(drawing.raw);
    unit_.lengths.push_back(
        static_cast<uint32_t>(unit_.records.size() - before));
    return hash;
  }

  void AddColumns(const PackedDrawing& drawing, const std::string* split,
                  uint64_t strokes_hash) {
    const size_t at = unit_.split_hashes.size();
    ColumnBatch& columns = unit_.columns;
    if (drawing.word) {
      columns.Set(at, ColumnKind::kWord, words_.Of(*drawing.word));
    }
    if (drawing.countrycode) {
      columns.Set(at, ColumnKind::kCountrycode,
                  countrycodes_.Of(*drawing.countrycode));
    }
    if (drawing.timestamp) {
      columns.Set(at, ColumnKind::kTimestamp, drawing.timestamp->micros);
      columns.Set(at, ColumnKind::kTrailingZeros,
                  drawing.timestamp->trailing_zeros);
    }
    if (drawing.recognized) {
      columns.Set(at, ColumnKind::kRecognized, *drawing.recognized);
    }
    if (drawing.key_id) {
      columns.Set(at, ColumnKind::kKeyId, *drawing.key_id);
      strokes_hash = SplitHashOfKey(*drawing.key_id);
    } else {
      columns.Set(at, ColumnKind::kStrokesHash,
                  static_cast<int64_t>(strokes_hash));
    }
    unit_.split_hashes.push_back(strokes_hash);
    if (split != nullptr) {
      columns.Set(at, ColumnKind::kSplit, splits_.Of(*split));
    }
  }

  const StrokeModel& model_;
  EncodedUnit unit_;
  Ranks words_;
  Ranks countrycodes_;
  Ranks splits_;
  Sha256 sha_;
  std::vector<uint32_t> stroke_ends_;
  Drawing raw_;
};

}  // namespace

EncodedUnit EncodeUnit(const StrokeModel& model,
                       const std::vector<UnitPart>& parts) {
  size_t drawings = 0;
  for (const UnitPart& part : parts) drawings += part.end - part.begin;
  UnitWriter writer(model, drawings);
  for (const UnitPart& part : parts) {
    for (size_t i = part.begin; i < part.end; ++i)
      writer.Add(*part.drawings, i);
  }
  return writer.Take();
}

}  // namespace inkstream::store
