#include "server/store/segment/segment_reader.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/store/format.h"
#include "server/store/segment/block_layout.h"
#include "server/store/segment/checksum.h"
#include "server/store/segment/table_value.h"

namespace inkstream::store {
namespace {

constexpr size_t kCacheLine = 64;     // bytes
constexpr size_t kMostFetched = 512;  // of a record, for its decoder

absl::Status InFile(const std::string& path, absl::string_view what,
                    const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat(path, ": ", what, ": ", status.message()));
}

absl::StatusOr<uint32_t> IntegerKey(absl::string_view key) {
  if (key.size() != sizeof(uint32_t)) {
    return absl::DataLossError(
        absl::StrCat("a key of ", key.size(), " bytes, expected 4"));
  }
  return LoadLittle<uint32_t>(key.data());
}

}  // namespace

absl::StatusOr<std::unique_ptr<SegmentReader>> SegmentReader::Open(
    const std::string& directory, const SegmentEntry& entry,
    ModelCache* models) {
  const std::string path = absl::StrCat(directory, "/", entry.file);
  absl::StatusOr<std::unique_ptr<LmdbFile>> file =
      LmdbFile::Open(path, entry.bytes);
  if (!file.ok()) {
    // The MANIFEST names it, so a missing file is damage.
    if (absl::IsNotFound(file.status())) {
      return absl::DataLossError(
          absl::StrCat(path, ": missing, the MANIFEST names it"));
    }
    return file.status();
  }
  std::unique_ptr<SegmentReader> segment(
      new SegmentReader(*std::move(file), entry.first));
  if (absl::Status s = segment->ReadTables(models); !s.ok()) return s;
  const SegmentHeader& header = segment->header_;
  if (header.drawings != entry.drawings ||
      ToHex(header.content) != entry.content) {
    return absl::DataLossError(absl::StrCat(
        path, ": expected ", entry.drawings, " drawings with content ",
        entry.content, " as the MANIFEST says, found ", header.drawings,
        " with ", ToHex(header.content)));
  }
  if (absl::Status s = segment->FindRuns(); !s.ok()) return s;
  if (absl::Status s = segment->ReadBlocks(); !s.ok()) return s;
  if (absl::Status s = segment->CheckIntact(); !s.ok()) return s;
  segment->LetGo();
  return segment;
}

absl::Status SegmentReader::ReadTables(ModelCache* models) {
  std::map<std::string, std::string> tables;
  absl::Status status = file_->Walk(
      kTablesDb, [&](absl::string_view key, absl::string_view value) {
        if (absl::Status s = file_->Populate(value); !s.ok()) return s;
        absl::StatusOr<std::string> raw = UnwrapTable(key, value);
        if (!raw.ok()) {
          return InFile(path(), absl::CEscape(key), raw.status());
        }
        tables[std::string(key)] = *std::move(raw);
        return absl::OkStatus();
      });
  if (!status.ok()) return status;
  absl::StatusOr<SegmentHeader> header =
      SegmentHeader::Parse(tables[kHeaderTable]);
  if (!header.ok()) return InFile(path(), kHeaderTable, header.status());
  header_ = *header;
  if (header_.format_version != kFormatVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat(path(), ": format version ", header_.format_version,
                     ", this release reads version ", kFormatVersion));
  }
  model_ = (*models)[tables[kModelTable]];
  if (model_ == nullptr) {
    absl::StatusOr<std::shared_ptr<const StrokeModel>> model =
        StrokeModel::Parse(tables[kModelTable]);
    if (!model.ok()) return InFile(path(), kModelTable, model.status());
    model_ = (*models)[tables[kModelTable]] = *std::move(model);
  }
  for (const auto& [name, to] :
       {std::pair{kWordsTable, &words_},
        std::pair{kCountrycodesTable, &countrycodes_}}) {
    absl::StatusOr<std::vector<std::string>> strings =
        UnpackStrings(tables[name]);
    if (!strings.ok()) return InFile(path(), name, strings.status());
    *to = *std::move(strings);
  }
  if (tables.count(kSplitsTable) > 0) {
    absl::StatusOr<std::vector<std::string>> splits =
        UnpackStrings(tables[kSplitsTable]);
    if (!splits.ok()) return InFile(path(), kSplitsTable, splits.status());
    splits_ = *std::move(splits);
  }
  const std::string& folds = tables[kFoldsTable];
  folds_.resize(folds.size() / sizeof(Digest));
  if (folds.size() % sizeof(Digest) != 0) {
    return absl::DataLossError(
        absl::StrCat(path(), ": folds: ", folds.size(), " bytes"));
  }
  for (size_t f = 0; f < folds_.size(); ++f) {
    std::copy_n(folds.data() + f * sizeof(Digest), sizeof(Digest),
                folds_[f].data());
  }
  return absl::OkStatus();
}

absl::Status SegmentReader::FindRuns() {
  uint64_t next = 0;
  absl::Status status = file_->Walk(
      kColumnsDb, [&](absl::string_view key, absl::string_view value) {
        const absl::StatusOr<uint32_t> first = IntegerKey(key);
        if (!first.ok()) return InFile(path(), "columns", first.status());
        if (*first != next || next >= header_.drawings) {
          return absl::DataLossError(absl::StrCat(
              path(), ": columns at ", *first, ", expected those at ", next,
              " of ", header_.drawings, " drawings"));
        }
        next += std::min<uint64_t>(kColumnRun, header_.drawings - next);
        run_bytes_.push_back(value);
        return absl::OkStatus();
      });
  if (!status.ok()) return status;
  if (next != header_.drawings) {
    return absl::DataLossError(absl::StrCat(path(), ": columns of ", next,
                                            " drawings, expected ",
                                            header_.drawings));
  }
  runs_.resize(run_bytes_.size());
  return absl::OkStatus();
}

absl::StatusOr<ColumnRun> SegmentReader::ReadRun(uint32_t run) const {
  const uint64_t first = uint64_t{run} << kColumnRunBits;
  const uint64_t count = std::min<uint64_t>(kColumnRun, drawings() - first);
  absl::Status populated = file_->file().Populate(run_bytes_[run]);
  if (!populated.ok()) return populated;
  absl::StatusOr<ColumnRun> read = ParseColumnRun(run_bytes_[run]);
  if (!read.ok()) return read;
  if (read->first != first || read->count != count) {
    return absl::DataLossError(absl::StrCat(read->count, " drawings at ",
                                            read->first, ", expected ", count,
                                            " at ", first));
  }
  absl::Status ranks = CheckRanks(*read);
  if (!ranks.ok()) return ranks;
  return read;
}

void SegmentReader::CheckRun(uint32_t run) const {
  absl::StatusOr<ColumnRun> read = ReadRun(run);
  if (!read.ok()) {
    const uint64_t first = uint64_t{run} << kColumnRunBits;
    file_->file().Lose(
        InFile(path(), absl::StrCat("columns at ", first), read.status()));
    read = ColumnRun();
    read->first = static_cast<uint32_t>(first);
    read->count = static_cast<uint32_t>(
        std::min<uint64_t>(kColumnRun, drawings() - first));
  }
  const std::lock_guard<std::mutex> lock(runs_mu_);
  if (Checked(blocks_.blocks() + run)) return;
  runs_[run] = *std::move(read);
  SetChecked(blocks_.blocks() + run);
}

absl::Status SegmentReader::CheckColumns() const {
  for (uint32_t run = 0; run < runs(); ++run) Run(run);
  LetGo();
  return CheckIntact();
}

absl::Status SegmentReader::ReadBlocks() {
  absl::Status status = file_->Walk(
      kStrokesDb, [&](absl::string_view key, absl::string_view value) {
        const absl::StatusOr<uint32_t> first = IntegerKey(key);
        if (!first.ok()) return InFile(path(), "strokes", first.status());
        absl::Status added = blocks_.Add(*first, value);
        if (!added.ok()) return InFile(path(), "strokes", added);
        return absl::OkStatus();
      });
  if (!status.ok()) return status;
  status = blocks_.Seal(header_.drawings);
  if (!status.ok()) return InFile(path(), "strokes", status);
  if (blocks_.blocks() != header_.blocks) {
    return absl::DataLossError(absl::StrCat(path(), ": ", blocks_.blocks(),
                                            " blocks of strokes, expected ",
                                            header_.blocks));
  }
  checked_ = std::make_unique<std::atomic<uint64_t>[]>(parts() / 64 + 1);
  return absl::OkStatus();
}

absl::Status SegmentReader::CheckRanks(const ColumnRun& run) const {
  // A rank's width does not bound it to the table, so every stored number is
  // looked at once.
  const auto check = [&run](ColumnKind kind, size_t names,
                            absl::string_view what) {
    const ColumnView& column = run.column(kind);
    if (!column.any) return absl::OkStatus();
    const uint32_t stored = column.width == 0          ? 1
                            : column.starts != nullptr ? column.stretches
                                                       : run.count;
    for (uint32_t n = 0; n < stored; ++n) {
      const uint64_t rank =
          column.base +
          (column.width == 0 ? 0 : column.unit * column.Stored(n));
      if (rank >= names) {
        return absl::DataLossError(
            absl::StrCat(what, " ", rank, " of ", names));
      }
    }
    return absl::OkStatus();
  };
  absl::Status ranks = check(ColumnKind::kWord, words_.size(), "word");
  ranks.Update(
      check(ColumnKind::kCountrycode, countrycodes_.size(), "countrycode"));
  ranks.Update(check(ColumnKind::kSplit, splits_.size(), "split"));
  return ranks;
}

absl::StatusOr<StoredRecord> SegmentReader::Record(uint32_t local) const {
  const BlockRef block = blocks_.Find(local);
  // Each time would cost a quarter of the read.
  if (!Checked(block.id)) {
    absl::Status populated = file_->file().Populate(block.bytes);
    if (!populated.ok()) return populated;
    if (!ChecksumHolds(block.bytes)) {
      return absl::DataLossError(absl::StrCat("the checksum of the block at ",
                                              block.first, " does not match"));
    }
    SetChecked(block.id);
  }
  return RecordOfBlock(
      block.bytes.substr(0, block.bytes.size() - kChecksumBytes), block.first,
      block.count, local - block.first);
}

absl::StatusOr<uint64_t> SegmentReader::Scrub(uint32_t part) const {
  const bool is_block = part < blocks_.blocks();
  const absl::string_view bytes =
      is_block ? blocks_.At(part).bytes : run_bytes_[part - blocks_.blocks()];
  absl::Status populated = file_->file().Populate(bytes);
  if (!populated.ok()) return InFile(path(), "scrubbed", populated);
  const bool holds = ChecksumHolds(bytes);
  if (!holds) Look();
  if (absl::Status s = CheckIntact(); !s.ok()) return s;
  if (holds) return bytes.size();
  if (!is_block) {
    const uint32_t first = (part - blocks_.blocks()) << kColumnRunBits;
    file_->file().Lose(absl::DataLossError(absl::StrCat(
        path(), ": columns at ", first, ": the checksum does not match")));
    return CheckIntact();
  }
  checked_[part / 64].fetch_and(~(uint64_t{1} << (part % 64)),
                                std::memory_order_relaxed);
  const BlockRef block = blocks_.At(part);
  return absl::DataLossError(
      absl::StrCat(path(), ": the checksum of the block with drawings ",
                   first_ + block.first, " to ",
                   first_ + block.first + block.count - 1, " does not match"));
}

void SegmentReader::FetchHeader(uint32_t local) const {
  const char* const block = blocks_.Find(local).bytes.data();
  __builtin_prefetch(block);
  __builtin_prefetch(block + kCacheLine);
}

void SegmentReader::FetchRecord(const StoredRecord& record) {
  const char* const begin = record.bytes.data();
  const size_t size = record.bytes.size();
  for (size_t at = 0; at < std::min(size, kMostFetched); at += kCacheLine) {
    __builtin_prefetch(begin + at);
  }
  // Its second axis is read from the end.
  __builtin_prefetch(begin + size - 1);
}

void SegmentReader::WillNeed(uint32_t local) const {
  const BlockRef block = blocks_.Find(local);
  // It was in memory once and most likely is: the call costs more than a read.
  if (Checked(block.id)) return;
  const absl::string_view bytes = block.bytes;
  const uintptr_t page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t begin =
      reinterpret_cast<uintptr_t>(bytes.data()) & ~(page - 1);
  const uintptr_t end =
      reinterpret_cast<uintptr_t>(bytes.data()) + bytes.size();
  madvise(reinterpret_cast<void*>(begin), end - begin, MADV_WILLNEED);
}

void SegmentReader::AdviseRandom() const {
  const absl::string_view bytes = file_->bytes();
  madvise(const_cast<char*>(bytes.data()), bytes.size(), MADV_RANDOM);
}

void SegmentReader::LetGo() const {
  const absl::string_view bytes = file_->bytes();
  madvise(const_cast<char*>(bytes.data()), bytes.size(), MADV_DONTNEED);
}

std::pair<size_t, size_t> SegmentReader::CountResident(size_t sample) const {
  const absl::string_view bytes = file_->bytes();
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t pages = bytes.size() / page;
  const size_t looked_at = std::min(sample, pages);
  size_t resident = 0;
  for (size_t i = 0; i < looked_at; ++i) {
    unsigned char state = 0;
    const size_t at = pages * i / looked_at * page;
    if (mincore(const_cast<char*>(bytes.data() + at), page, &state) == 0) {
      resident += state & 1U;
    }
  }
  return {looked_at, resident};
}

void SegmentReader::Preload() const {
  const absl::string_view bytes = file_->bytes();
  madvise(const_cast<char*>(bytes.data()), bytes.size(), MADV_SEQUENTIAL);
  for (size_t at = 0; at < bytes.size(); at += kPageBytes) {
    static_cast<void>(*static_cast<const volatile char*>(bytes.data() + at));
  }
  madvise(const_cast<char*>(bytes.data()), bytes.size(), MADV_NORMAL);
}

}  // namespace inkstream::store
