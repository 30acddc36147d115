#include "server/transport/huge_pages.h"

#include <sys/mman.h>

#include <algorithm>

// Newer than the C library's headers.
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

namespace inkstream::transport {
namespace {

constexpr size_t kPage = 4096;

size_t RoundUp(size_t value, size_t step) {
  return (value + step - 1) / step * step;
}

void* MapAligned(int descriptor, size_t bytes, int protection, int flags) {
  if (bytes < kHugePage) {
    return mmap(nullptr, bytes, protection, flags, descriptor, 0);
  }
  // Room in which an aligned address can be had.
  const size_t pages = RoundUp(bytes, kPage);
  const size_t room = pages + kHugePage;
  void* const reserved =
      mmap(nullptr, room, PROT_NONE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (reserved == MAP_FAILED) return MAP_FAILED;
  auto* const begin = static_cast<uint8_t*>(reserved);
  auto* const aligned = reinterpret_cast<uint8_t*>(
      RoundUp(reinterpret_cast<uintptr_t>(begin), kHugePage));
  void* const mapped =
      mmap(aligned, bytes, protection, flags | MAP_FIXED, descriptor, 0);
  if (mapped == MAP_FAILED) {
    munmap(reserved, room);
    return MAP_FAILED;
  }
  if (aligned > begin) munmap(begin, aligned - begin);
  const size_t behind = begin + room - (aligned + pages);
  if (behind > 0) munmap(aligned + pages, behind);
  return mapped;
}

}  // namespace

void* MapForHugePages(int descriptor, size_t bytes, int protection) {
  return MapAligned(descriptor, bytes, protection, MAP_SHARED);
}

void* MapPrivateHugePages(size_t bytes) {
  void* const memory = MapAligned(-1, bytes, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS);
  if (memory != MAP_FAILED && bytes >= kHugePage) {
    madvise(memory, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
  }
  return memory;
}

void TouchHugePages(uint8_t* map, size_t bytes, size_t begin, size_t end) {
  const size_t first = begin / kHugePage * kHugePage;
  // What is behind the last whole one stays in small pages.
  const size_t last =
      std::min(RoundUp(end, kHugePage), bytes / kHugePage * kHugePage);
  for (size_t at = first; at < last; at += kHugePage) {
    // Only what has a page is joined into a huge one; the byte keeps its value.
    auto* const byte = reinterpret_cast<volatile uint8_t*>(map + at);
    *byte = *byte;
    madvise(map + at, kHugePage, MADV_COLLAPSE);
  }
}

}  // namespace inkstream::transport
