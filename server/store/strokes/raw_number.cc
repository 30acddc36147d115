#include "server/store/strokes/raw_number.h"

#include <array>
#include <cmath>
#include <utility>

namespace inkstream::store {
namespace {

// Screens give whole numbers, halves, or decimals that went through a float.
enum Scheme : uint8_t {
  kBinary = 0,        // number / 2^s
  kDecimal = 1,       // number / 10^s
  kDecimalFloat = 2,  // the float nearest to number / 10^s
  kDoubles = 3,       // as they are
};

constexpr double kLargestWhole = 9007199254740992.0;  // 2^53
constexpr int kMaxBinary = 62;
constexpr int kMaxDecimal =
    22;  // the largest power that a double holds exactly

double PowerOfTen(int exponent) {
  static const std::array<double, kMaxDecimal + 1>* const powers = [] {
    auto* made = new std::array<double, kMaxDecimal + 1>();
    double power = 1;
    for (double& each : *made) {
      each = power;
      power *= 10;
    }
    return made;
  }();
  return (*powers)[exponent];
}

// The value as number / 2^s or number / 10^s, exactly as reading computes it.
double Value(Scheme scheme, int s, int64_t number) {
  const double whole = static_cast<double>(number);
  if (scheme == kBinary) return std::ldexp(whole, -s);
  const double value = whole / PowerOfTen(s);
  return scheme == kDecimal ? value : static_cast<float>(value);
}

// False where reading would not give this very double.
bool NumberOf(Scheme scheme, int s, double value, int64_t* number) {
  const double scaled = scheme == kBinary
                            ? std::ldexp(value, s)
                            : std::nearbyint(value * PowerOfTen(s));
  if (!(std::fabs(scaled) <= kLargestWhole) || scaled != std::floor(scaled) ||
      (value == 0 && std::signbit(value))) {
    return false;
  }
  *number = static_cast<int64_t>(scaled);
  return Value(scheme, s, *number) == value;
}

// The least s with which all values are whole; -1: none.
int ScaleOf(Scheme scheme, const std::vector<double>& values) {
  const int most = scheme == kBinary ? kMaxBinary : kMaxDecimal;
  int s = 0;
  int64_t number = 0;
  for (const double value : values) {
    while (!NumberOf(scheme, s, value, &number)) {
      if (++s > most) return -1;
    }
  }
  // A scale that grew must hold for the values before it, too.
  for (const double value : values) {
    if (!NumberOf(scheme, s, value, &number)) return -1;
  }
  return s;
}

uint64_t ZigZag(int64_t value) {
  return static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
}
int64_t UnZigZag(uint64_t value) {
  return static_cast<int64_t>(value >> 1 ^ (~(value & 1) + 1));
}

bool AppendScaled(Scheme scheme, const std::vector<double>& values,
                  std::string* out) {
  const int s = ScaleOf(scheme, values);
  if (s < 0) return false;
  AppendLittle<uint8_t>(scheme, out);
  AppendLittle<uint8_t>(static_cast<uint8_t>(s), out);
  int64_t before = 0;
  for (const double value : values) {
    int64_t number = 0;
    NumberOf(scheme, s, value, &number);
    AppendVarint(ZigZag(number - before), out);
    before = number;
  }
  return true;
}

}  // namespace

void AppendVarint(uint64_t value, std::string* out) {
  for (; value >= 0x80; value >>= 7) {
    out->push_back(static_cast<char>(value | 0x80));
  }
  out->push_back(static_cast<char>(value));
}

uint64_t ReadVarint(LittleReader* in) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const uint8_t byte = in->Read<uint8_t>();
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) break;
  }
  return value;
}

void AppendRawNumbers(const std::vector<double>& values, std::string* out) {
  std::string best;
  for (const Scheme scheme : {kBinary, kDecimal, kDecimalFloat}) {
    std::string series;
    if (AppendScaled(scheme, values, &series) &&
        (best.empty() || series.size() < best.size())) {
      best = std::move(series);
      if (best[1] == 0) break;  // whole numbers need no second try
    }
  }
  if (best.empty()) {
    AppendLittle<uint8_t>(kDoubles, &best);
    AppendLittle<uint8_t>(0, &best);
    for (const double value : values) AppendLittle(value, &best);
  }
  *out += best;
}

bool ReadRawNumbers(uint64_t count, LittleReader* in,
                    std::vector<double>* values) {
  const uint8_t scheme = in->Read<uint8_t>();
  const uint8_t s = in->Read<uint8_t>();
  // A number takes a byte at least; this bounds the allocation.
  if (!in->ok() || count > in->remaining()) return false;
  values->resize(count);
  if (scheme == kDoubles) {
    for (double& value : *values) {
      value = in->Read<double>();
      if (!std::isfinite(value)) return false;
    }
    return in->ok();
  }
  if (!(scheme == kBinary && s <= kMaxBinary) &&
      !((scheme == kDecimal || scheme == kDecimalFloat) && s <= kMaxDecimal)) {
    return false;
  }
  uint64_t number = 0;
  for (double& value : *values) {
    number += static_cast<uint64_t>(UnZigZag(ReadVarint(in)));
    value = Value(static_cast<Scheme>(scheme), s, static_cast<int64_t>(number));
  }
  return in->ok();
}

}  // namespace inkstream::store
