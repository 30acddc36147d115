// A view's `where`, compiled against one store: which values of which columns
// are accepted.
//
// Thread safety: pure functions; values are immutable.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "inkstream/view.h"
#include "server/batch/view/interval_set.h"
#include "server/store/store_reader.h"

namespace inkstream::batch {

enum class WhereColumn : uint8_t {
  kLabel,
  kKeyId,
  kTimestamp,
  kRecognized,
  kCountrycode,
  kIndex,
  kStrokes,
  kPoints,
};

struct CompiledTerm {
  WhereColumn column;
  IntervalSet accepted;  // never holds what stands for a missing value
  std::string text;      // canonical: `recognized == 1`; words as classes
};

// In the order given. INVALID_ARGUMENT for a column, an operator or a value
// that is none; NOT_FOUND for a word or countrycode that the store has not.
// Errors name the term, the value and the nearest valid one.
absl::StatusOr<std::vector<CompiledTerm>> CompileWhere(
    absl::Span<const WhereTerm> where, const store::StoreReader& store);

}  // namespace inkstream::batch
