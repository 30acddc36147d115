#include "client/cpp/batch/malloc_settings.h"

#include <malloc.h>

#include <cstdlib>
#include <cstring>
#include <mutex>

namespace inkstream::client {
namespace {

// Setting one of them fixes the other: the largest that glibc itself arrives
// at.
constexpr int kMmapThreshold = 32 << 20;
// Some batches' worth.
constexpr int kTrimThreshold = 16 << 20;

bool SaysOtherwise() {
  const char* const tunables = std::getenv("GLIBC_TUNABLES");
  return std::getenv("MALLOC_TRIM_THRESHOLD_") != nullptr ||
         std::getenv("MALLOC_MMAP_THRESHOLD_") != nullptr ||
         (tunables != nullptr &&
          std::strstr(tunables, "glibc.malloc.") != nullptr);
}

}  // namespace

void KeepFreedMemory() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (SaysOtherwise()) return;
    mallopt(M_MMAP_THRESHOLD, kMmapThreshold);
    mallopt(M_TRIM_THRESHOLD, kTrimThreshold);
  });
}

}  // namespace inkstream::client
