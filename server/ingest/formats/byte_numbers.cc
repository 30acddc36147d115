#include "server/ingest/formats/byte_numbers.h"

#include <bit>
#include <cstring>

#include "server/ingest/input/record_chunk.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace inkstream::ingest {

size_t TakeByteNumbersPlainly(const char** at, const char* end, uint8_t* out) {
  const char* p = *at;
  size_t count = 0;
  while (p != end) {
    uint32_t value = 0;
    size_t digits = 0;
    for (; p != end && *p >= '0' && *p <= '9'; ++p, ++digits) {
      if (digits == 3 || (digits > 0 && value == 0)) return 0;
      value = 10 * value + static_cast<uint32_t>(*p - '0');
    }
    if (digits == 0 || value > 255 || p == end) return 0;
    out[count++] = static_cast<uint8_t>(value);
    const char next = *p++;
    if (next == ']') {
      *at = p;
      return count;
    }
    if (next != ',') return 0;
  }
  return 0;
}

#ifdef __SSE2__

namespace {

constexpr size_t kBlock = 64;
static_assert(RecordChunk::kPadding >= kBlock);
// By the number of digits: the bits of a number's last bytes that say its
// digits, and the least number that has no leading zero, as those bits.
constexpr uint32_t kDigitBits[4] = {0, 0x0F, 0x0F0F, 0x0F0F0F};
constexpr uint32_t kLeast[4] = {0, 0, 0x0100, 0x010000};
constexpr uint32_t kMost = 0x020505;

// A bit for each of 64 bytes that is no digit.
uint64_t NotDigits(const char* block) {
  const __m128i below = _mm_set1_epi8('0');
  const __m128i above = _mm_set1_epi8('9');
  uint64_t bits = 0;
  for (int i = 0; i < 4; ++i) {
    const __m128i bytes =
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + 16 * i));
    const __m128i other = _mm_or_si128(_mm_cmplt_epi8(bytes, below),
                                       _mm_cmpgt_epi8(bytes, above));
    bits |=
        static_cast<uint64_t>(static_cast<uint32_t>(_mm_movemask_epi8(other)))
        << (16 * i);
  }
  return bits;
}

}  // namespace

// Where numbers end is found 64 bytes at a time, so that one number need not
// wait for the end of the one before.
size_t TakeByteNumbers(const char** at, const char* end, uint8_t* out) {
  const char* number = *at;
  size_t count = 0;
  bool bad = false;
  for (const char* block = number; block < end; block += kBlock) {
    for (uint64_t stops = NotDigits(block); stops != 0; stops &= stops - 1) {
      const char* const stop = block + std::countr_zero(stops);
      const auto digits = static_cast<size_t>(stop - number);
      if (stop >= end || digits - 1 > 2) return 0;
      uint32_t last;
      std::memcpy(&last, stop - sizeof(last), sizeof(last));
      const uint32_t value = __builtin_bswap32(last) & kDigitBits[digits];
      bad |= value < kLeast[digits] || value > kMost;
      out[count++] = static_cast<uint8_t>(
          (value & 0xF) + 10 * (value >> 8 & 0xF) + 100 * (value >> 16));
      number = stop + 1;
      if (*stop == ']') {
        if (bad) return 0;
        *at = number;
        return count;
      }
      if (*stop != ',') return 0;
    }
  }
  return 0;
}

#else

size_t TakeByteNumbers(const char** at, const char* end, uint8_t* out) {
  return TakeByteNumbersPlainly(at, end, out);
}

#endif

}  // namespace inkstream::ingest
