// Drawings as records of the official binary format (bin_format.h).
//
// Thread safety: pure function.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "inkstream/drawing.h"

namespace inkstream::ingest {

// Appends the record. It has no word (the file's name is), no fraction of a
// second, and no way to leave a column out. INVALID_ARGUMENT names what the
// drawing has not (key_id, countrycode of two bytes, recognized, a timestamp in
// 1970..2106) or has too much of (times of a raw drawing).
absl::Status AppendBinRecord(const Drawing& drawing, std::string* out);

}  // namespace inkstream::ingest
