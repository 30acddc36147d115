// The threads of this process that draw what comes as rows.
#pragma once

#include <cstdint>
#include <memory>

#include "server/base/turn_pool.h"

namespace inkstream::client {

// For as long as somebody holds it; one for all streams, with as many threads
// as any of them asked for. They begin with the first piece, and make way for
// the threads that use what they draw. `threads`: 0: as many as this process
// may use CPUs. Not to be let go of by one of them.
//
// Thread safety: any thread.
std::shared_ptr<TurnPool> DrawingThreads(uint32_t threads);

}  // namespace inkstream::client
