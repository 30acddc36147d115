#include "server/store/segment/segment_writer.h"

#include <algorithm>
#include <utility>

#include "server/store/format.h"
#include "server/store/segment/table_value.h"

namespace inkstream::store {

absl::StatusOr<std::unique_ptr<SegmentWriter>> SegmentWriter::Create(
    const std::string& path, uint64_t first,
    std::shared_ptr<const StrokeModel> model) {
  absl::StatusOr<std::unique_ptr<LmdbWriter>> file = LmdbWriter::Create(path);
  if (!file.ok()) return file.status();
  auto writer = std::make_unique<SegmentWriter>();
  writer->file_ = *std::move(file);
  writer->model_ = std::move(model);
  writer->header_.format_version = kFormatVersion;
  writer->header_.fold_phase = first % kFoldRun;
  return writer;
}

void SegmentWriter::Names::Translate(const std::vector<std::string>& unit_names,
                                     std::vector<int64_t>* column) {
  std::vector<int64_t> to;
  to.reserve(unit_names.size());
  bool same = true;
  for (const std::string& name : unit_names) {
    const auto [it, added] = ranks.try_emplace(name, names.size());
    if (added) names.push_back(name);
    same = same && it->second == static_cast<int64_t>(to.size());
    to.push_back(it->second);
  }
  if (same) return;
  // Where a name is absent the rank is 0, and nobody reads it.
  for (int64_t& rank : *column) rank = to[rank];
}

absl::Status SegmentWriter::PutBlock(const Block& block) {
  if (block.count == 0) return absl::OkStatus();
  ++header_.blocks;
  return file_->PutStrokes(block.first, block.bytes);
}

absl::Status SegmentWriter::PutColumns() {
  if (columns_.size() == 0) return absl::OkStatus();
  const uint32_t first =
      static_cast<uint32_t>(header_.drawings - columns_.size());
  ++header_.column_runs;
  return file_->PutColumns(first, columns_.Build(first));
}

absl::Status SegmentWriter::Add(EncodedUnit* unit) {
  const auto column = [&](ColumnKind kind) {
    return &unit->columns.values[static_cast<size_t>(kind)];
  };
  words_.Translate(unit->words, column(ColumnKind::kWord));
  countrycodes_.Translate(unit->countrycodes, column(ColumnKind::kCountrycode));
  splits_.Translate(unit->splits, column(ColumnKind::kSplit));
  size_t at = 0;
  for (size_t i = 0; i < unit->size(); ++i) {
    const absl::string_view record(unit->records.data() + at, unit->lengths[i]);
    at += unit->lengths[i];
    if (blocks_.Add(record, unit->raw[i] != 0)) {
      if (absl::Status s = PutBlock(blocks_.TakeBlock()); !s.ok()) return s;
    }
  }
  content_.Update(AsBytes(absl::MakeConstSpan(unit->hashes)));
  for (size_t begin = 0; begin < unit->size();) {
    const size_t end =
        std::min<size_t>(unit->size(), begin + (kColumnRun - columns_.size()));
    columns_.Add(unit->columns, begin, end);
    header_.drawings += end - begin;
    begin = end;
    if (columns_.size() == kColumnRun) {
      if (absl::Status s = PutColumns(); !s.ok()) return s;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<FinishedSegment> SegmentWriter::Finish(
    const std::vector<Digest>& folds) {
  if (absl::Status s = PutBlock(blocks_.TakeRest()); !s.ok()) return s;
  if (absl::Status s = PutColumns(); !s.ok()) return s;
  header_.content = content_.Finish();
  std::string fold_bytes;
  for (const Digest& fold : folds) {
    fold_bytes.append(AsBytes(fold).data(), AsBytes(fold).size());
  }
  std::vector<std::pair<const char*, std::string>> tables = {
      {kHeaderTable, header_.Serialize()},
      {kModelTable, model_->Serialize()},
      {kWordsTable, PackStrings(words_.names)},
      {kCountrycodesTable, PackStrings(countrycodes_.names)},
      {kFoldsTable, fold_bytes},
  };
  if (!splits_.names.empty()) {
    tables.emplace_back(kSplitsTable, PackStrings(splits_.names));
  }
  for (const auto& [name, raw] : tables) {
    if (absl::Status s = file_->PutTable(name, WrapTable(name, raw)); !s.ok()) {
      return s;
    }
  }
  absl::StatusOr<uint64_t> bytes = file_->Finish();
  if (!bytes.ok()) return bytes.status();
  return FinishedSegment{header_, *bytes};
}

}  // namespace inkstream::store
