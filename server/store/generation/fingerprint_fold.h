// The fingerprint of drawings that are in segments already: taken from the
// folds that segments keep where those hold, read and hashed elsewhere.
//
// Thread safety: function; starts threads of its own and ends them.
#pragma once

#include "absl/status/status.h"
#include "server/store/generation/open_store.h"
#include "server/store/writing/fingerprint.h"

namespace inkstream::store {

// Adds all drawings of `store`, in index order, to an empty fold; `threads` >=
// 1. Errors as reading.
absl::Status FoldStore(const OpenStore& store, int threads,
                       FingerprintFold* fold);

}  // namespace inkstream::store
