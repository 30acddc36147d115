#include "server/ingest/input/byte_source.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "server/ingest/input/file_source.h"

namespace inkstream::ingest {
namespace {

constexpr size_t kMagicBytes = 4;
constexpr absl::string_view kGzipMagic("\x1f\x8b", 2);
constexpr absl::string_view kZstdMagic("\x28\xb5\x2f\xfd", 4);
// Of a skippable frame, after a first byte 0x50..0x5f.
constexpr absl::string_view kSkippableMagic("\x2a\x4d\x18", 3);

bool IsZstd(absl::string_view first) {
  if (absl::StartsWith(first, kZstdMagic)) return true;
  return first.size() == 4 && (first[0] & 0xf0) == 0x50 &&
         first.substr(1) == kSkippableMagic;
}

}  // namespace

absl::StatusOr<absl::string_view> PeekedSource::Peek(size_t bytes) {
  while (beginning_.size() < bytes) {
    const size_t have = beginning_.size();
    beginning_.resize(bytes);
    absl::StatusOr<size_t> got =
        source_->Read(beginning_.data() + have, bytes - have);
    beginning_.resize(have + (got.ok() ? *got : 0));
    if (!got.ok()) return got.status();
    if (*got == 0) break;
  }
  return absl::string_view(beginning_);
}

absl::StatusOr<size_t> PeekedSource::Read(char* out, size_t capacity) {
  if (beginning_.empty()) return source_->Read(out, capacity);
  const size_t taken = std::min(capacity, beginning_.size());
  std::memcpy(out, beginning_.data(), taken);
  beginning_.erase(0, taken);
  return taken;
}

bool IsPlainFile(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return false;
  absl::StatusOr<std::unique_ptr<FileSource>> file =
      FileSource::Open(path, nullptr);
  if (!file.ok()) return false;
  PeekedSource source(*std::move(file));
  const absl::StatusOr<absl::string_view> first = source.Peek(kMagicBytes);
  return first.ok() && !absl::StartsWith(*first, kGzipMagic) && !IsZstd(*first);
}

absl::StatusOr<std::unique_ptr<PeekedSource>> OpenSource(
    const std::string& path, InterruptCheck interrupted) {
  absl::StatusOr<std::unique_ptr<FileSource>> file =
      FileSource::Open(path, std::move(interrupted));
  if (!file.ok()) return file.status();
  auto source = std::make_unique<PeekedSource>(*std::move(file));
  const absl::StatusOr<absl::string_view> first = source->Peek(kMagicBytes);
  if (!first.ok()) return first.status();
  if (absl::StartsWith(*first, kGzipMagic)) {
    return std::make_unique<PeekedSource>(
        NewGzipSource(std::move(source), SourceName(path)));
  }
  if (IsZstd(*first)) {
    return std::make_unique<PeekedSource>(
        NewZstdSource(std::move(source), SourceName(path)));
  }
  return source;
}

}  // namespace inkstream::ingest
