// --split train=0.9,valid=0.05,test=0.05.
//
// Thread safety: pure function.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/store/store_writer.h"

namespace inkstream::app {

// "": none. INVALID_ARGUMENT names the part that is wrong: a name or fraction
// that is missing, not in (0, 1], given twice, or a sum over 1.
absl::StatusOr<std::vector<store::SplitFraction>> ParseSplits(
    const std::string& text);

}  // namespace inkstream::app
