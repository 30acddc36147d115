#include "server/ingest/input/input_shard.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/ingest/input/file_source.h"
#include "server/ingest/input/line_cutter.h"

namespace inkstream::ingest {
namespace {

constexpr size_t kBufferBytes = size_t{1} << 18;

bool IsRegular(const std::string& path) {
  struct stat info = {};
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

absl::StatusOr<bool> IsCutAtLines(const InputFile& input, InputFormat wanted) {
  if (!IsPlainFile(input.path)) return false;
  absl::StatusOr<std::unique_ptr<PeekedSource>> source =
      OpenSource(input.path, nullptr);
  if (!source.ok()) return source.status();
  absl::StatusOr<const DrawingFormat*> format =
      ChooseFormat(wanted, source->get(), SourceName(input.path));
  if (!format.ok()) return format.status();
  return (*format)->lines_are_records;
}

// The first line that begins at `offset` or behind it; the file's end if none.
absl::StatusOr<uint64_t> LineBegin(const InputFile& input, uint64_t offset) {
  if (offset == 0 || offset >= input.bytes) {
    return std::min(offset, input.bytes);
  }
  absl::StatusOr<std::unique_ptr<FileSource>> source =
      FileSource::OpenRange(input.path, offset - 1, input.bytes, nullptr);
  if (!source.ok()) return source.status();
  std::string buffer(kBufferBytes, '\0');
  for (uint64_t at = offset - 1;;) {
    absl::StatusOr<size_t> got = (*source)->Read(buffer.data(), buffer.size());
    if (!got.ok()) return got.status();
    if (*got == 0) return input.bytes;
    const void* end = std::memchr(buffer.data(), '\n', *got);
    if (end != nullptr) {
      return at + (static_cast<const char*>(end) - buffer.data()) + 1;
    }
    at += *got;
  }
}

// part/of of total, without overflow.
uint64_t Bound(uint64_t total, uint64_t part, uint64_t of) {
  return static_cast<uint64_t>(static_cast<unsigned __int128>(total) * part /
                               of);
}

}  // namespace

absl::StatusOr<Shard> ParseShard(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits('/', 1));
  Shard shard;
  if (!absl::SimpleAtoi(parts.first, &shard.number) ||
      !absl::SimpleAtoi(parts.second, &shard.of) || shard.of == 0 ||
      shard.number >= shard.of) {
    return absl::InvalidArgumentError(
        absl::StrCat("--shard is '", text,
                     "', expected I/N with I from 0 to N-1, such as 0/4"));
  }
  return shard;
}

absl::StatusOr<std::vector<InputFile>> ShardInputs(
    const std::vector<InputFile>& inputs, const Shard& shard,
    InputFormat format) {
  uint64_t total = 0;
  for (const InputFile& input : inputs) {
    if (!IsRegular(input.path)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--shard needs files, ", SourceName(input.path),
                       " is none: it has no size to be cut at"));
    }
    total += input.bytes;
  }
  const uint64_t begin = Bound(total, shard.number, shard.of);
  const uint64_t end = Bound(total, shard.number + 1, shard.of);
  std::vector<InputFile> mine;
  uint64_t first = 0;  // of the input, in all of them
  for (const InputFile& input : inputs) {
    const uint64_t last = first + input.bytes;
    const bool begins_here = first >= begin && first < end;
    const bool overlaps = first < end && last > begin;
    if (overlaps && (!begins_here || last > end)) {
      absl::StatusOr<bool> cut = IsCutAtLines(input, format);
      if (!cut.ok()) return cut.status();
      if (*cut) {
        InputFile part = input;
        absl::StatusOr<uint64_t> from =
            LineBegin(input, begin > first ? begin - first : 0);
        absl::StatusOr<uint64_t> to =
            LineBegin(input, std::min(end, last) - first);
        if (!from.ok()) return from.status();
        if (!to.ok()) return to.status();
        part.begin = *from;
        part.end = *to;
        part.bytes = *to - *from;
        if (*from < *to) mine.push_back(std::move(part));
        first = last;
        continue;
      }
    }
    if (begins_here) mine.push_back(input);
    first = last;
  }
  return mine;
}

absl::StatusOr<uint64_t> LineAt(const std::string& path, uint64_t offset) {
  absl::StatusOr<std::unique_ptr<FileSource>> source =
      FileSource::OpenRange(path, 0, offset, nullptr);
  if (!source.ok()) return source.status();
  std::string buffer(kBufferBytes, '\0');
  uint64_t line = 1;
  for (;;) {
    absl::StatusOr<size_t> got = (*source)->Read(buffer.data(), buffer.size());
    if (!got.ok()) return got.status();
    if (*got == 0) return line;
    line += CountLineEnds(buffer.data(), *got);
  }
}

}  // namespace inkstream::ingest
