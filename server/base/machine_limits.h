// What this process may use: the container's limits where there are any, the
// machine's otherwise.
//
// Thread safety: pure functions; they read /proc and /sys.
#pragma once

#include <cstdint>
#include <string>

namespace inkstream {

// Bytes: the smallest memory limit of the cgroups this process is in, or RAM.
uint64_t UsableMemory(const std::string& root = "");

// Threads worth starting: the CPU quota rounded up, or the CPUs this process
// may run on, whichever is smaller. At least 1.
int UsableCpus(const std::string& root = "");

}  // namespace inkstream
