// What the operating system says of this process.
//
// Thread safety: function.
#pragma once

#include <cstdint>

namespace inkstream::ops {

struct ProcessFigures {
  double cpu_seconds = 0;
  double start_time = 0;  // seconds since 1970
  uint64_t resident_bytes = 0;
  uint64_t virtual_bytes = 0;
  uint64_t open_descriptors = 0;
  uint64_t max_descriptors = 0;
  uint64_t major_faults = 0;
};

// What cannot be found out is 0.
ProcessFigures ReadProcessFigures();

}  // namespace inkstream::ops
