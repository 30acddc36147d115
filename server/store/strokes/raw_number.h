// A series of doubles in few bytes, each given back bit for bit: whole numbers
// over a common power of two or of ten where all of them are such, as varints
// of differences; else as they are.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/store/segment/endian_io.h"

namespace inkstream::store {

void AppendVarint(uint64_t value, std::string* out);
// As LittleReader's own reads: zero and !ok() where there is none.
uint64_t ReadVarint(LittleReader* in);

// REQUIRES: finite, within 2^53.
void AppendRawNumbers(const std::vector<double>& values, std::string* out);
// False: broken, too few, or not finite.
bool ReadRawNumbers(uint64_t count, LittleReader* in,
                    std::vector<double>* values);

}  // namespace inkstream::store
