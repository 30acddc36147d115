// What the methods of inkstream.v1.DrawingService answer by, whoever asks.
//
// Thread safety: plain values; the engine is safe from any thread.
#pragma once

#include <cstdint>
#include <string>

#include "server/batch/engine.h"

namespace inkstream::service {

struct Service {
  batch::Engine* engine = nullptr;
  std::string version;
  uint64_t memory_bytes = 0;  // of batches, views and all else
  // Of a server; 0: there is none.
  uint32_t max_streams_per_connection = 0;
  uint32_t max_request_bytes = 0;
  bool shared_memory = false;
};

}  // namespace inkstream::service
