// Decompresses zstd, frame after frame, with a bounded window.
#pragma once

#include <zstd.h>

#include <memory>
#include <string>

#include "server/ingest/input/byte_source.h"

namespace inkstream::ingest {

class ZstdSource : public ByteSource {
 public:
  ZstdSource(std::unique_ptr<ByteSource> compressed, std::string name);
  ~ZstdSource() override;

  absl::StatusOr<size_t> Read(char* out, size_t capacity) override;
  uint64_t consumed() const override { return compressed_->consumed(); }

 private:
  const std::unique_ptr<ByteSource> compressed_;
  const std::string name_;
  std::string buffer_;
  ZSTD_DStream* const stream_;
  ZSTD_inBuffer in_ = {nullptr, 0, 0};
  bool inside_frame_ = false;
};

}  // namespace inkstream::ingest
