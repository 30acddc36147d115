// What becomes of the files of a store while it is open.
//
// A file that is truncated under its map, whose disk fails, or whose columns
// are damaged is lost, and with it the store: what its columns gave may be
// wrong. A block that changed behind its first check is noticed by who looks at
// it again. Stores that have no files of their own are always well.
//
// Thread safety: any thread.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/store/store_reader.h"

namespace inkstream::store {

// DATA_LOSS, naming file and sizes, once a file could not be read any more:
// whatever was read of the store before this call may then be wrong. Cheap.
absl::Status CheckIntact(const StoreReader& store);

// Looks at the files' sizes, so that CheckIntact tells of what nobody has read.
void LookAtFiles(const StoreReader& store);

// Blocks of strokes and runs of columns, each with a checksum of its own, which
// readers look at when they touch the part first.
uint64_t PartsOf(const StoreReader& store);

// Reads a part from its file again and answers its bytes. DATA_LOSS: it is
// damaged, and reading a drawing of it fails from now on. REQUIRES: part <
// PartsOf(store).
absl::StatusOr<uint64_t> ScrubPart(const StoreReader& store, uint64_t part);

}  // namespace inkstream::store
