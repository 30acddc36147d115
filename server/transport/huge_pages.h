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

namespace inkstream::transport {

inline constexpr size_t kHugePage = size_t{2} << 20;

// mmap(MAP_SHARED) of a whole file, where huge pages of it can be mapped.
// MAP_FAILED with errno; undone by munmap(memory, bytes).
void* MapForHugePages(int descriptor, size_t bytes, int protection);

// The same of memory that is this process's alone, all zero.
void* MapPrivateHugePages(size_t bytes);

// Makes [begin, end) of such a map of a memfd resident, in huge pages, with
// what shares one with it. `map`, `bytes`: the map, writable, its content
// unused yet or zero where no page was touched.
void TouchHugePages(uint8_t* map, size_t bytes, size_t begin, size_t end);

}  // namespace inkstream::transport
