#include "server/batch/job/stage_times.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>

namespace inkstream::batch {
namespace {

double SecondsOf(const ThreadUsage& begin, const ThreadUsage& end) {
  return (end.wall_nanos - begin.wall_nanos) * 1e-9;
}

// Of these, those that were a disk's.
double OnDisk(const ThreadUsage& begin, const ThreadUsage& end) {
  if (end.major_faults == begin.major_faults) return 0;
  const double wall = SecondsOf(begin, end);
  return std::clamp(wall - (end.cpu_nanos - begin.cpu_nanos) * 1e-9, 0.0, wall);
}

}  // namespace

StageTimes& StageTimes::operator+=(const StageTimes& other) {
  disk += other.disk;
  decode += other.decode;
  draw += other.draw;
  pack += other.pack;
  return *this;
}

StageTimes StageTimes::operator*(double factor) const {
  return {disk * factor, decode * factor, draw * factor, pack * factor};
}

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

StageTimes StagesOf(const ThreadUsage& begin, const ThreadUsage& found,
                    const ThreadUsage& end, double decoding, double packing) {
  const double finding = SecondsOf(begin, found);
  const double working = SecondsOf(found, end);
  const double disk_found = OnDisk(begin, found);
  const double disk_worked = OnDisk(found, end);
  StageTimes times;
  times.disk = disk_found + disk_worked;
  double rest = working - disk_worked;
  times.pack = std::min(packing, rest);
  rest -= times.pack;
  const double decode = std::clamp(decoding - disk_worked, 0.0, rest);
  times.decode = finding - disk_found + decode;
  times.draw = rest - decode;
  return times;
}

}  // namespace inkstream::batch
