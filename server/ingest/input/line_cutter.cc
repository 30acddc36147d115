#include "server/ingest/input/line_cutter.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"

namespace inkstream::ingest {
namespace {

// Enough records to make handing over cheap, few enough to stay in a core's
// cache together with what they are read into.
constexpr size_t kTargetBytes = size_t{256} << 10U;
constexpr absl::string_view kByteOrderMark("\xEF\xBB\xBF", 3);

}  // namespace

LineCutter::LineCutter(std::unique_ptr<ByteSource> source, uint64_t offset,
                       uint64_t line)
    : source_(std::move(source)), line_(line), offset_(offset) {}

// Reads until there is enough to cut, or the end.
absl::Status LineCutter::Fill(RecordChunk* chunk) {
  chunk->size = carry_.size();
  std::memcpy(chunk->data(), carry_.data(), carry_.size());
  carry_.clear();
  bool has_end = std::memchr(chunk->data(), '\n', chunk->size) != nullptr;
  while (!ended_ && chunk->size < RecordChunk::kCapacity &&
         !(has_end && chunk->size >= kTargetBytes)) {
    const size_t target =
        chunk->size < kTargetBytes ? kTargetBytes : RecordChunk::kCapacity;
    char* const out = chunk->data() + chunk->size;
    absl::StatusOr<size_t> got = source_->Read(out, target - chunk->size);
    if (!got.ok()) return got.status();
    if (*got == 0) ended_ = true;
    has_end = has_end || std::memchr(out, '\n', *got) != nullptr;
    chunk->size += *got;
  }
  return absl::OkStatus();
}

// The chunk is full and has no line end: drops the rest of that line.
absl::StatusOr<bool> LineCutter::SkipOverlong(RecordChunk* chunk) {
  const absl::string_view beginning =
      chunk->text().substr(0, ErrorLog::kMaxInputCharacters * 4);
  chunk->overlong = {line_, offset_, std::string(beginning)};
  uint64_t length = chunk->size;
  chunk->size = 0;
  for (;;) {
    absl::StatusOr<size_t> got = source_->Read(chunk->data(), kTargetBytes);
    if (!got.ok()) return got.status();
    if (*got == 0) {
      ended_ = true;
      break;
    }
    const void* end = std::memchr(chunk->data(), '\n', *got);
    if (end == nullptr) {
      length += *got;
      continue;
    }
    const size_t used = static_cast<const char*>(end) - chunk->data() + 1;
    length += used;
    carry_.assign(chunk->data() + used, *got - used);
    break;
  }
  offset_ += length;
  ++line_;
  return true;
}

absl::StatusOr<bool> LineCutter::Next(RecordChunk* chunk) {
  chunk->overlong.reset();
  const bool first = offset_ == 0;
  if (absl::Status status = Fill(chunk); !status.ok()) return status;
  if (first && absl::StartsWith(chunk->text(), kByteOrderMark)) {
    std::memset(chunk->data(), ' ', kByteOrderMark.size());
  }
  chunk->line = line_;
  chunk->offset = offset_;
  if (chunk->size == 0) return false;
  const size_t cut = chunk->text().rfind('\n');
  if (cut == absl::string_view::npos) {
    if (chunk->size == RecordChunk::kCapacity) return SkipOverlong(chunk);
  } else if (!ended_) {
    carry_.assign(chunk->data() + cut + 1, chunk->size - cut - 1);
    chunk->size = cut + 1;
  }
  offset_ += chunk->size;
  line_ += CountLineEnds(chunk->data(), chunk->size);
  return true;
}

// In bytes, which compilers add up a register at a time; std::count widens each
// to 64 bits first (4 % of an ingest).
uint64_t CountLineEnds(const char* bytes, size_t size) {
  constexpr size_t kRun = 255;  // a byte holds their count
  uint64_t lines = 0;
  while (size > 0) {
    const size_t run = std::min(size, kRun);
    uint8_t in_run = 0;
    for (size_t i = 0; i < run; ++i) in_run += bytes[i] == '\n';
    lines += in_run;
    bytes += run;
    size -= run;
  }
  return lines;
}

}  // namespace inkstream::ingest
