// Where the making of a batch goes, and how much of it is a disk's.
//
// Thread safety: plain values; Now() is about the thread that calls it.
#pragma once

#include <cstdint>

namespace inkstream::batch {

// Seconds of threads.
struct StageTimes {
  double disk = 0;    // waiting for pages of the store
  double decode = 0;  // records found, and made into strokes
  double draw = 0;    // strokes into tensors, and the columns
  double pack = 0;    // codecs

  double sum() const { return disk + decode + draw + pack; }
  StageTimes& operator+=(const StageTimes& other);
  StageTimes operator*(double factor) const;
};

// What a thread has used so far.
struct ThreadUsage {
  int64_t wall_nanos = 0;
  int64_t cpu_nanos = 0;
  // Page faults that had to wait, for a disk or for a page on its way from it.
  int64_t major_faults = 0;

  static ThreadUsage Now();
};

// Of one piece of work of a thread, which found its records until `found` and
// worked on them then. `decoding`, `packing`: seconds of the latter part, as
// measured. A disk is blamed only for time that the thread did not run, in a
// part with a major fault; the rest of finding counts as decoding.
StageTimes StagesOf(const ThreadUsage& begin, const ThreadUsage& found,
                    const ThreadUsage& end, double decoding, double packing);

}  // namespace inkstream::batch
