// The categories of Quick, Draw!, as its official files are named.
//
// Thread safety: any thread.
#pragma once

#include <string>
#include <vector>

namespace inkstream::ingest {

// All 345, sorted without regard to case. Source: categories.txt of the
// quickdraw-dataset repository.
const std::vector<std::string>& CategoryNames();

}  // namespace inkstream::ingest
