// Inputs that are no files of drawings, told by their first bytes: archives,
// other compressions, arrays, databases, pictures, pages. Read as drawings they
// would be bad ones by the million, or lose a drawing here and there.
//
// Thread safety: pure functions.
#pragma once

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace inkstream::ingest {

// What these functions want to see of an input, decompressed; fewer bytes are
// taken for all of it. A tar header, the header row of a CSV, some lines.
inline constexpr size_t kBeginningBytes = 4096;

// INVALID_ARGUMENT: no drawings begin so, in any format; the text says what the
// input is and what to do. `name`: what a person calls the input. `text`: it
// would be read as text, so that what no text begins with is refused too.
absl::Status RefuseForeign(absl::string_view beginning, absl::string_view name,
                           bool text);

// INVALID_ARGUMENT: not one of the whole lines begins as an object does, so
// that this is not NDJSON.
absl::Status RefuseOtherText(absl::string_view beginning,
                             absl::string_view name);

}  // namespace inkstream::ingest
