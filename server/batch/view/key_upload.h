// A set of keys while it comes in.
//
// Thread safety: one thread at a time.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace inkstream::batch {

class KeyUpload {
 public:
  virtual ~KeyUpload() = default;

  // INVALID_ARGUMENT: one of them is no key, or there are more than a set may
  // have. RESOURCE_EXHAUSTED with reason VIEW_MEMORY: other uploads take what
  // there is for key sets.
  virtual absl::Status Add(absl::Span<const int64_t> keys) = 0;
};

}  // namespace inkstream::batch
