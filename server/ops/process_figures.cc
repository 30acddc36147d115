#include "server/ops/process_figures.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>

namespace inkstream::ops {
namespace {

uint64_t OpenDescriptors() {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir("/proc/self/fd"),
                                                      closedir);
  if (directory == nullptr) return 0;
  uint64_t entries = 0;
  while (readdir(directory.get()) != nullptr) ++entries;
  // Without . and .., and the one that the directory itself is.
  return entries > 3 ? entries - 3 : 0;
}

// Since the machine was started, in seconds.
double StartedAt() {
  std::ifstream file("/proc/self/stat");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  // Behind the program's name, which may hold anything: field 22 of the whole.
  const size_t behind_name = text.rfind(')');
  if (behind_name == std::string::npos) return 0;
  size_t at = behind_name + 1;
  for (int field = 3; field < 22; ++field) at = text.find(' ', at + 1);
  return at == std::string::npos
             ? 0
             : std::stod(text.substr(at)) / sysconf(_SC_CLK_TCK);
}

}  // namespace

ProcessFigures ReadProcessFigures() {
  ProcessFigures figures;
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  figures.cpu_seconds = static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
  figures.major_faults = static_cast<uint64_t>(usage.ru_majflt);
  const uint64_t page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  uint64_t virtual_pages = 0;
  uint64_t resident_pages = 0;
  if (std::ifstream("/proc/self/statm") >> virtual_pages >> resident_pages) {
    figures.virtual_bytes = virtual_pages * page;
    figures.resident_bytes = resident_pages * page;
  }
  rlimit limit = {};
  getrlimit(RLIMIT_NOFILE, &limit);
  figures.max_descriptors = limit.rlim_cur;
  figures.open_descriptors = OpenDescriptors();
  timespec since_boot = {};
  clock_gettime(CLOCK_BOOTTIME, &since_boot);
  const double now = std::chrono::duration<double>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
  figures.start_time =
      now -
      (static_cast<double>(since_boot.tv_sec) + since_boot.tv_nsec * 1e-9) +
      StartedAt();
  return figures;
}

}  // namespace inkstream::ops
