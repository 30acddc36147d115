#include "server/ingest/input/peeked_source.h"

#include <algorithm>
#include <cstring>

namespace inkstream::ingest {

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

}  // namespace inkstream::ingest
