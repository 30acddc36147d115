#include "server/batch/stage_times.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>

namespace inkstream::batch {

ThreadUsage ThreadUsage::Now() {
  rusage usage = {};
  getrusage(RUSAGE_THREAD, &usage);
  const auto nanos = [](const timeval& time) {
    return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_usec * 1000;
  };
  return {std::chrono::steady_clock::now().time_since_epoch() /
              std::chrono::nanoseconds(1),
          nanos(usage.ru_utime) + nanos(usage.ru_stime), usage.ru_majflt};
}

StageTimes StagesOf(const ThreadUsage& begin, const ThreadUsage& end,
                    double reading, double packing) {
  const double wall = (end.wall_nanos - begin.wall_nanos) * 1e-9;
  const double cpu = (end.cpu_nanos - begin.cpu_nanos) * 1e-9;
  StageTimes times;
  if (end.major_faults > begin.major_faults) {
    times.disk = std::clamp(wall - cpu, 0.0, wall);
  }
  double rest = wall - times.disk;
  times.pack = std::min(packing, rest);
  rest -= times.pack;
  times.decode = std::clamp(reading - times.disk, 0.0, rest);
  times.draw = rest - times.decode;
  return times;
}

}  // namespace inkstream::batch
