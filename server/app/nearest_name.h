// What a person meant who mistyped a name.
//
// Thread safety: pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace inkstream::app {

// Insertions, deletions, replacements and swaps of neighbours between two
// names.
size_t EditDistance(const std::string& a, const std::string& b);

// The known name with the smallest distance, the first of equals. "" where
// nothing is known.
std::string NearestName(const std::string& name,
                        const std::vector<std::string>& known);

}  // namespace inkstream::app
