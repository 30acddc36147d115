// What the C++ client gave, in the suite's words.
//
// Thread safety: pure functions.
#pragma once

#include "absl/status/status.h"
#include "inkstream/client.h"
#include "server/base/json.h"

namespace inkstream::conformance {

Json JsonOf(const Cursor& cursor);
// Tensors as SHA-256 of their bytes; those of integers a row as they are.
Json JsonOf(const Batch& batch);
Json JsonOf(const StreamInfo& info);
Json JsonOf(const StreamStats& stats);
Json JsonOf(const DatasetInfo& info);
Json JsonOf(const PlanReport& report);
Json JsonOf(const absl::Status& error);

}  // namespace inkstream::conformance
