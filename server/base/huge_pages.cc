#include "server/base/huge_pages.h"

#include <sys/mman.h>

#include <cstdint>

namespace inkstream {
namespace {

constexpr size_t kPage = 4096;

size_t RoundUp(size_t value, size_t step) {
  return (value + step - 1) / step * step;
}

}  // namespace

void* MapHugePages(size_t bytes) {
  constexpr int kProtection = PROT_READ | PROT_WRITE;
  constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS;
  if (bytes < kHugePage) {
    return mmap(nullptr, bytes, kProtection, kFlags, -1, 0);
  }
  // Room in which an aligned address can be had.
  const size_t pages = RoundUp(bytes, kPage);
  const size_t room = pages + kHugePage;
  void* const reserved = mmap(nullptr, room, kProtection, kFlags, -1, 0);
  if (reserved == MAP_FAILED) return MAP_FAILED;
  auto* const begin = static_cast<uint8_t*>(reserved);
  auto* const aligned = reinterpret_cast<uint8_t*>(
      RoundUp(reinterpret_cast<uintptr_t>(begin), kHugePage));
  if (aligned > begin) munmap(begin, aligned - begin);
  const size_t behind = begin + room - (aligned + pages);
  if (behind > 0) munmap(aligned + pages, behind);
  madvise(aligned, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
  return aligned;
}

}  // namespace inkstream
