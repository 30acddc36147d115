#include "server/ingest/input/scanning_cutter.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace inkstream::ingest {
namespace {

constexpr size_t kTargetBytes = size_t{256} << 10U;

}  // namespace

ScanningCutter::ScanningCutter(std::unique_ptr<ByteSource> source,
                               std::string name,
                               std::unique_ptr<RecordScanner> scanner)
    : source_(std::move(source)),
      name_(std::move(name)),
      scanner_(std::move(scanner)) {}

absl::Status ScanningCutter::Read(RecordChunk* chunk, size_t room) {
  absl::StatusOr<size_t> got = source_->Read(chunk->data() + chunk->size, room);
  if (!got.ok()) return got.status();
  ended_ = *got == 0;
  chunk->size += *got;
  return absl::OkStatus();
}

absl::Status ScanningCutter::Finish() {
  absl::Status status = scanner_->Finish();
  if (status.ok()) return status;
  return absl::Status(status.code(),
                      absl::StrCat(name_, " ", status.message()));
}

// Notes every record that ends in what was read.
void ScanningCutter::Scan(RecordChunk* chunk) {
  while (scanned_ < chunk->size) {
    bool ended = false;
    scanned_ += scanner_->Feed(chunk->text().substr(scanned_), &ended);
    if (!ended) return;
    Note(chunk);
    whole_ = scanned_;
  }
}

void ScanningCutter::Note(RecordChunk* chunk) const {
  const RecordScanner::Found& found = scanner_->found();
  if (found.blank) return;
  chunk->records.push_back({static_cast<uint32_t>(whole_ + found.begin),
                            static_cast<uint32_t>(whole_ + found.end),
                            found.line});
}

absl::StatusOr<bool> ScanningCutter::SkipOverlong(RecordChunk* chunk) {
  const std::string beginning(
      chunk->text().substr(0, ErrorLog::kMaxInputCharacters * 4));
  uint64_t length = chunk->size;
  bool ended = false;
  while (!ended) {
    chunk->size = 0;
    if (absl::Status status = Read(chunk, kTargetBytes); !status.ok()) {
      return status;
    }
    if (ended_) {
      if (absl::Status status = Finish(); !status.ok()) return status;
      break;
    }
    const size_t taken = scanner_->Feed(chunk->text(), &ended);
    length += taken;
    carry_.assign(chunk->data() + taken, chunk->size - taken);
  }
  chunk->overlong = {scanner_->found().line, offset_, beginning,
                     std::string(scanner_->hint())};
  chunk->size = 0;
  chunk->records.clear();
  scanned_ = 0;
  offset_ += length;
  return true;
}

absl::StatusOr<bool> ScanningCutter::Cut(RecordChunk* chunk) {
  chunk->overlong.reset();
  chunk->records.clear();
  std::memcpy(chunk->data(), carry_.data(), carry_.size());
  chunk->size = carry_.size();
  chunk->offset = offset_;
  carry_.clear();
  whole_ = 0;
  for (;;) {
    Scan(chunk);
    if (whole_ >= kTargetBytes || ended_) break;
    const size_t room =
        std::min(kTargetBytes, RecordChunk::kCapacity - chunk->size);
    if (room == 0) {
      if (whole_ > 0) break;
      return SkipOverlong(chunk);
    }
    if (absl::Status status = Read(chunk, room); !status.ok()) return status;
    if (ended_) {
      if (absl::Status status = Finish(); !status.ok()) return status;
      Note(chunk);
      whole_ = scanned_ = chunk->size;
    }
  }
  carry_.assign(chunk->data() + whole_, chunk->size - whole_);
  chunk->size = whole_;
  scanned_ -= whole_;
  offset_ += whole_;
  return whole_ > 0;
}

absl::StatusOr<bool> ScanningCutter::Next(RecordChunk* chunk) {
  for (;;) {
    absl::StatusOr<bool> more = Cut(chunk);
    if (!more.ok() || !*more) return more;
    // Without records the chunk would be read as lines.
    if (chunk->overlong.has_value() || !chunk->records.empty()) return true;
  }
}

}  // namespace inkstream::ingest
