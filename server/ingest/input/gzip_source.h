// Decompresses gzip, member after member.
#pragma once

#include <zlib.h>

#include <memory>
#include <string>

#include "server/ingest/input/byte_source.h"

namespace inkstream::ingest {

class GzipSource : public ByteSource {
 public:
  GzipSource(std::unique_ptr<ByteSource> compressed, std::string name);
  ~GzipSource() override;

  absl::StatusOr<size_t> Read(char* out, size_t capacity) override;
  uint64_t consumed() const override { return compressed_->consumed(); }

 private:
  absl::Status Refill();  // leaves avail_in 0 at the end of the file
  absl::StatusOr<bool> NextMember();

  const std::unique_ptr<ByteSource> compressed_;
  const std::string name_;
  std::string buffer_;
  z_stream stream_ = {};
  bool ready_ = false;     // inflateInit2 succeeded
  bool finished_ = false;  // the last member has ended
};

}  // namespace inkstream::ingest
