#include "server/transport/malloc_trim.h"

#include <malloc.h>

namespace inkstream::transport {
namespace {

// Less is used again soon.
constexpr size_t kMuch = 16U << 20U;

}  // namespace

void MallocTrim::Look() {
  const size_t free = mallinfo2().fordblks;
  // What was given back counts as free still: once is enough.
  const size_t change =
      free > left_free_ ? free - left_free_ : left_free_ - free;
  if (free < kMuch || change < kMuch / 4) return;
  malloc_trim(0);
  left_free_ = free;
}

}  // namespace inkstream::transport
