// A file or standard input as it is.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "server/ingest/input/byte_source.h"

namespace inkstream::ingest {

class FileSource : public ByteSource {
 public:
  static absl::StatusOr<std::unique_ptr<FileSource>> Open(
      const std::string& path, InterruptCheck interrupted);
  // Bytes begin..end-1 of a plain file.
  static absl::StatusOr<std::unique_ptr<FileSource>> OpenRange(
      const std::string& path, uint64_t begin, uint64_t end,
      InterruptCheck interrupted);
  ~FileSource() override;

  absl::StatusOr<size_t> Read(char* out, size_t capacity) override;
  uint64_t consumed() const override { return consumed_.load(); }

  // The first bytes, at most 4, without taking them.
  absl::StatusOr<absl::string_view> Peek();

  const std::string& name() const { return name_; }

 private:
  FileSource(int fd, std::string name, InterruptCheck interrupted);
  absl::StatusOr<size_t> ReadDescriptor(char* out, size_t capacity);

  const int fd_;
  const std::string name_;
  const InterruptCheck interrupted_;
  uint64_t left_ = UINT64_MAX;  // bytes up to the end of the range
  std::string peeked_;
  std::atomic<uint64_t> consumed_{0};
};

}  // namespace inkstream::ingest
