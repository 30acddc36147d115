// What servers some trainers take, by the formula of deploy/RUNBOOK.md.
//
// Thread safety: pure function.
#pragma once

#include <cstdint>

namespace inkstream::app {

struct TrainerLoad {
  uint32_t trainers = 0;         // streams: ranks, and workers of a DataLoader
  double drawings_a_second = 0;  // of each
  bool draw = true;              // by themselves, from rows of strokes
  uint64_t pixels = 0;           // of a drawing
  uint64_t batch_bytes = 0;      // as it is laid out
  uint32_t batch = 1;            // drawings
  uint64_t store_bytes = 0;      // on disk
};

struct ServerSize {
  double cores = 0;              // of all servers, a third of them to spare
  double network = 0;            // bytes a second
  uint64_t memory = 0;           // --memory, where one server has all streams
  uint64_t store_in_memory = 0;  // beside it, in each
  uint32_t replicas = 0;  // of `cores_each`; one of them to roll out with
};

ServerSize ServerSizeFor(const TrainerLoad& load, uint32_t cores_each);

}  // namespace inkstream::app
