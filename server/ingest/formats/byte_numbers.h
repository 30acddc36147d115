// Lists of whole numbers in 0..255 as Google's files write them, the greater
// part of their bytes.
//
// Thread safety: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>

namespace inkstream::ingest {

// Reads "n,n,...]" from `*at` into `out`, which has room for a number every two
// bytes up to `end`. Answers how many and sets `*at` behind the bracket; 0: it
// is anything else, a number over 255 or one with leading zeros too.
// REQUIRES: 4 readable bytes before `*at`, RecordChunk::kPadding behind `end`.
size_t TakeByteNumbers(const char** at, const char* end, uint8_t* out);

// The same, a digit at a time.
size_t TakeByteNumbersPlainly(const char** at, const char* end, uint8_t* out);

}  // namespace inkstream::ingest
