// Where the making of a batch goes, and how much of it is a disk's.
//
// Thread safety: plain values; Now() is about the thread that calls it.
#pragma once

#include <cstdint>

namespace inkstream::batch {

// Seconds of threads.
struct StageTimes {
  double disk = 0;    // waiting for pages of the store
  double decode = 0;  // records into strokes
  double draw = 0;    // strokes into tensors, and the columns
  double pack = 0;    // codecs

  double sum() const { return disk + decode + draw + pack; }
};

// What a thread has used so far.
struct ThreadUsage {
  int64_t wall_nanos = 0;
  int64_t cpu_nanos = 0;
  // Page faults that had to wait, for a disk or for a page on its way from it.
  int64_t major_faults = 0;

  static ThreadUsage Now();
};

// Of one piece of work between two moments of its thread. `reading`: seconds in
// which records were asked for and decoded, as measured; `packing`: in codecs.
// A disk is blamed only where there was a major fault: then for the time that
// the thread did not run.
StageTimes StagesOf(const ThreadUsage& begin, const ThreadUsage& end,
                    double reading, double packing);

}  // namespace inkstream::batch
