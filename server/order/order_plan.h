// The canonical form of everything that decides which drawing stands where:
// hashed into the cursor, so that a cursor cannot be used with another order.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "inkstream/cursor.h"
#include "inkstream/plan.h"

namespace inkstream::order {

// What a view resolves to, by content and never by served name.
struct ResolvedView {
  std::string split_rule;            // canonical text of the split's rule
  std::vector<std::string> classes;  // words in label order; empty: all
  // Terms that are not set leave no trace in the text.
  std::string slice;               // "10%:20%"
  std::string fold;                // "0/5", "0/5 held out"
  std::vector<std::string> where;  // canonical terms, in any order
  double fraction = 1;
  uint64_t max_per_class = 0;
  std::string include_keys;  // hashes of key sets
  std::string exclude_keys;
  uint64_t size = 0;  // drawings
};

// One `name=value` line a field, in a fixed order, values escaped, long lists
// replaced by their count and hash. Golden tests pin it: a change is a new
// version of the first line.
// `parts`: what the views of a mix resolve to, for SamplingKind::kMix.
std::string CanonicalOrderPlan(const ResolvedView& view, const OrderSpec& spec,
                               const std::vector<ResolvedView>& parts = {});

// First 128 bits of the SHA-256 of the canonical text, lower-case hex.
std::string OrderPlanHash(absl::string_view canonical);

// OK if `cursor` continues the order plan `canonical` on the store with
// `fingerprint`, with `spec`'s seed. Otherwise FAILED_PRECONDITION that names
// the first field that differs, the cursor's value and this stream's, or
// INVALID_ARGUMENT for a cursor of another version or with a malformed field.
absl::Status CheckCursor(const Cursor& cursor, const std::string& fingerprint,
                         const std::string& canonical);

}  // namespace inkstream::order
