#include "server/base/machine_limits.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_split.h"

namespace inkstream {
namespace {

// A number above 0, or nullopt for "max", -1 (both: no limit), a missing file
// or anything else.
std::optional<uint64_t> ReadNumber(const std::string& path) {
  std::ifstream file(path);
  int64_t number = 0;
  if (!(file >> number) || number <= 0) return std::nullopt;
  return static_cast<uint64_t>(number);
}

// Directories of this process's cgroup and of all that contain it.
std::vector<std::string> CgroupDirectories(const std::string& root,
                                           const std::string& controller) {
  std::vector<std::string> directories;
  std::ifstream lines(root + "/proc/self/cgroup");
  for (std::string line; std::getline(lines, line);) {
    const std::vector<std::string> parts =
        absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (parts.size() < 3) continue;
    const std::vector<std::string> names =
        absl::StrSplit(parts[1], ',', absl::SkipEmpty());
    std::string path = parts[2];
    std::string mount = root + "/sys/fs/cgroup";
    if (!names.empty()) {
      if (absl::c_count(names, controller) == 0) continue;
      mount += "/" + controller;
    }
    // Inside a container the path may not exist below the mount: the mount's
    // own root comes last and is looked at in any case.
    for (; path.size() > 1 && path[0] == '/'; path.resize(path.rfind('/'))) {
      directories.push_back(mount + path);
    }
    directories.push_back(mount);
  }
  return directories;
}

}  // namespace

uint64_t UsableMemory(const std::string& root) {
  uint64_t usable = static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                    static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  for (const std::string& directory : CgroupDirectories(root, "memory")) {
    for (const char* name : {"/memory.max", "/memory.limit_in_bytes"}) {
      const std::optional<uint64_t> limit = ReadNumber(directory + name);
      if (limit.has_value()) usable = std::min(usable, *limit);
    }
  }
  return usable;
}

int UsableCpus(const std::string& root) {
  cpu_set_t set;
  CPU_ZERO(&set);
  int cpus = 1;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    cpus = std::max(1, CPU_COUNT(&set));
  }
  const auto apply = [&cpus](uint64_t quota, uint64_t period) {
    if (quota == 0 || period == 0) return;
    const uint64_t share = (quota + period - 1) / period;
    cpus = std::max(1, static_cast<int>(std::min<uint64_t>(cpus, share)));
  };
  for (const std::string& directory : CgroupDirectories(root, "cpu")) {
    std::ifstream v2(directory + "/cpu.max");
    uint64_t quota = 0;
    uint64_t period = 0;
    if (v2 >> quota >> period) apply(quota, period);
    apply(ReadNumber(directory + "/cpu.cfs_quota_us").value_or(0),
          ReadNumber(directory + "/cpu.cfs_period_us").value_or(0));
  }
  return cpus;
}

}  // namespace inkstream
