// An engine whose streams cost nothing: each lays out its first batch and hands
// it out again and again, so that what is left to measure is the transport.
//
// Everything else is the real engine's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/batch/engine.h"

namespace inkstream::bench {

class ReadyEngine : public batch::Engine {
 public:
  ReadyEngine() : Engine({}) {}

  absl::StatusOr<std::shared_ptr<batch::BatchStream>> OpenStreamFor(
      const std::string& caller, const Plan& plan,
      batch::MemoryArbiter* memory) override;
};

}  // namespace inkstream::bench
