// Whether a store that stands where another one stood is a later generation of
// it, or something else.
//
// Thread safety: reads files; any thread.
#pragma once

#include "absl/status/status.h"
#include "server/store/store_reader.h"

namespace inkstream::store {

// OK: `next` has the name of `earlier`, a higher generation, and the MANIFEST
// of `earlier` among those that it keeps. FAILED_PRECONDITION says which of
// these it lacks.
absl::Status CheckContinues(const StoreInfo& earlier, const StoreReader& next);

}  // namespace inkstream::store
