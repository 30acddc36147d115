// A file or standard input as it is.
#pragma once

#include <atomic>
#include <memory>
#include <string>

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

 private:
  FileSource(int fd, std::string name, InterruptCheck interrupted);

  const int fd_;
  const std::string name_;
  const InterruptCheck interrupted_;
  uint64_t left_ = UINT64_MAX;  // bytes up to the end of the range
  std::atomic<uint64_t> consumed_{0};
};

}  // namespace inkstream::ingest
