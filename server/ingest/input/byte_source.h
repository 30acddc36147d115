// Bytes of an input, decompressed.
//
// Thread safety: one thread at a time; consumed() from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace inkstream::ingest {

class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // Reads 1 to `capacity` bytes; 0: the end. Errors name the input. DATA_LOSS:
  // compressed bytes are truncated or corrupt. CANCELLED: interrupted.
  virtual absl::StatusOr<size_t> Read(char* out, size_t capacity) = 0;

  // Bytes taken from the file so far, compressed ones where it is.
  virtual uint64_t consumed() const = 0;
};

// Looked at while a pipe has nothing to give; true ends the read.
using InterruptCheck = std::function<bool()>;

// The window of a .zst frame that is still accepted: 2^27 = 128 MiB.
inline constexpr int kMaxZstdWindowLog = 27;

// A source whose beginning has been looked at.
class PeekedSource : public ByteSource {
 public:
  explicit PeekedSource(std::unique_ptr<ByteSource> source)
      : source_(std::move(source)) {}

  // The first bytes, at most `bytes`, without taking them. Call before Read.
  absl::StatusOr<absl::string_view> Peek(size_t bytes);

  absl::StatusOr<size_t> Read(char* out, size_t capacity) override;
  uint64_t consumed() const override { return source_->consumed(); }

 private:
  const std::unique_ptr<ByteSource> source_;
  std::string beginning_;  // what is left of it
};

// Opens a file, or standard input for "-", and decompresses gzip and zstd by
// content, not by name; several members or frames in a row are one input.
absl::StatusOr<std::unique_ptr<PeekedSource>> OpenSource(
    const std::string& path, InterruptCheck interrupted);

// Decompress another source, one member or frame after the other. `name`: what
// a person calls it.
std::unique_ptr<ByteSource> NewGzipSource(
    std::unique_ptr<ByteSource> compressed, std::string name);
std::unique_ptr<ByteSource> NewZstdSource(
    std::unique_ptr<ByteSource> compressed, std::string name);

// Whether the input is a file on disk that is not compressed, so that reading
// can begin anywhere in it.
bool IsPlainFile(const std::string& path);

// What a person calls the input.
std::string SourceName(const std::string& path);

}  // namespace inkstream::ingest
