// A set of keys, or of weights by drawing, while it comes in.
//
// Thread safety: one thread at a time.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "server/batch/view/weight_set.h"

namespace inkstream::batch {

class KeyUpload {
 public:
  virtual ~KeyUpload() = default;

  // INVALID_ARGUMENT: one of them is no key, there are more than a set may
  // have, or weights came before. RESOURCE_EXHAUSTED with reason VIEW_MEMORY:
  // other uploads take what there is for key sets.
  virtual absl::Status Add(absl::Span<const int64_t> keys) = 0;

  // Likewise; also where drawings are named in another way than before, or a
  // weight is not finite and >= 0.
  virtual absl::Status AddWeights(DrawingName by,
                                  absl::Span<const int64_t> names,
                                  absl::Span<const double> weights) = 0;
};

// What is made of it.
struct KeptKeys {
  std::string hash;
  uint64_t keys = 0;  // different ones
};

}  // namespace inkstream::batch
