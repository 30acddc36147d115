// What the C++ client gave, in the suite's words.
//
// Thread safety: pure functions.
#pragma once

#include "absl/status/status.h"
#include "inkstream/client.h"
#include "tests/conformance/clients/json_text.h"

namespace inkstream::conformance {

void Write(const Cursor& cursor, JsonText* to);
// Tensors as SHA-256 of their bytes; those of integers a row as they are.
void Write(const Batch& batch, JsonText* to);
void Write(const StreamInfo& info, JsonText* to);
void Write(const StreamStats& stats, JsonText* to);
void Write(const DatasetInfo& info, JsonText* to);
void Write(const PlanReport& report, JsonText* to);
void Write(const absl::Status& error, JsonText* to);

}  // namespace inkstream::conformance
