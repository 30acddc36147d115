// A source whose beginning has been looked at.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/ingest/input/byte_source.h"

namespace inkstream::ingest {

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

}  // namespace inkstream::ingest
