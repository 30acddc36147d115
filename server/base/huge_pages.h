// Memory in pages of 2 MiB: fewer page faults when it is first used, and far
// fewer entries of the processor's address cache while it is written and read.
//
// Everything here is a wish. A kernel that does not grant it gives pages of the
// usual size, and nothing else changes.
//
// Thread safety: pure functions on the caller's memory.
#pragma once

#include <cstddef>
#include <cstdint>

namespace inkstream {

inline constexpr size_t kHugePage = size_t{2} << 20;

// Memory of this process alone, all zero. MAP_FAILED with errno; undone by
// munmap(memory, bytes).
void* MapHugePages(size_t bytes);

}  // namespace inkstream
