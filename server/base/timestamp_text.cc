#include "server/base/timestamp_text.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"

namespace inkstream {
namespace {

constexpr int64_t kMicrosPerSecond = 1000000;
constexpr int64_t kSecondsPerDay = 86400;
constexpr size_t kFractionDigits = 6;
constexpr size_t kMaxIsoDigits = 9;
constexpr absl::string_view kShape = "dddd-dd-dd dd:dd:dd";
constexpr absl::string_view kZone = " UTC";

int Digits(absl::string_view text, size_t at, size_t count) {
  int value = 0;
  for (size_t i = at; i < at + count; ++i) value = value * 10 + (text[i] - '0');
  return value;
}

// Of a zone; nullopt: it is none.
std::optional<int> OffsetMinutes(absl::string_view zone) {
  if (zone.empty() || zone == "Z" || zone == kZone) return 0;
  const int sign = zone[0] == '-' ? -1 : 1;
  if (zone[0] != '+' && zone[0] != '-') return std::nullopt;
  std::string digits(zone.substr(1));
  if (digits.size() == 5 && digits[2] == ':') digits.erase(2, 1);
  if (digits.size() == 2) digits += "00";
  if (digits.size() != 4 ||
      !std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit)) {
    return std::nullopt;
  }
  const int hours = Digits(digits, 0, 2), minutes = Digits(digits, 2, 2);
  if (hours > 23 || minutes > 59) return std::nullopt;
  return sign * (hours * 60 + minutes);
}

}  // namespace

std::optional<Timestamp> ParseTimestamp(absl::string_view text) {
  if (text.size() < kShape.size() + kZone.size()) return std::nullopt;
  for (size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] == 'd' ? !absl::ascii_isdigit(text[i])
                         : text[i] != kShape[i]) {
      return std::nullopt;
    }
  }
  const absl::string_view end = text.substr(text.size() - kZone.size());
  absl::string_view fraction =
      text.substr(kShape.size(), text.size() - kShape.size() - kZone.size());
  if (end != kZone) return std::nullopt;

  Timestamp result;
  int64_t micros = 0;
  if (!fraction.empty()) {
    if (fraction[0] != '.') return std::nullopt;
    fraction.remove_prefix(1);
    if (fraction.empty() || fraction.size() > kFractionDigits) {
      return std::nullopt;
    }
    for (const char c : fraction) {
      if (!absl::ascii_isdigit(c)) return std::nullopt;
      micros = micros * 10 + (c - '0');
      result.trailing_zeros = c == '0' ? result.trailing_zeros + 1 : 0;
    }
    for (size_t i = fraction.size(); i < kFractionDigits; ++i) micros *= 10;
  }

  const std::chrono::year_month_day date{
      std::chrono::year(Digits(text, 0, 4)),
      std::chrono::month(static_cast<unsigned>(Digits(text, 5, 2))),
      std::chrono::day(static_cast<unsigned>(Digits(text, 8, 2)))};
  const int hour = Digits(text, 11, 2);
  const int minute = Digits(text, 14, 2);
  const int second = Digits(text, 17, 2);
  if (!date.ok() || Digits(text, 0, 4) < 1 || hour > 23 || minute > 59 ||
      second > 59) {
    return std::nullopt;
  }
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  result.micros = (days * kSecondsPerDay + hour * 3600 + minute * 60 + second) *
                      kMicrosPerSecond +
                  micros;
  return result;
}

std::optional<Timestamp> ParseIsoTimestamp(absl::string_view text) {
  if (text.size() < kShape.size()) return std::nullopt;
  std::string official(text.substr(0, kShape.size()));
  if (official[10] == 'T') official[10] = ' ';
  text.remove_prefix(kShape.size());
  if (absl::ConsumePrefix(&text, ".")) {
    const size_t end =
        std::min(text.find_first_not_of("0123456789"), text.size());
    absl::string_view fraction = text.substr(0, end);
    if (fraction.empty() || fraction.size() > kMaxIsoDigits) {
      return std::nullopt;
    }
    text.remove_prefix(end);
    while (absl::ConsumeSuffix(&fraction, "0")) {
    }
    if (!fraction.empty()) absl::StrAppend(&official, ".", fraction);
  }
  const std::optional<int> offset = OffsetMinutes(text);
  std::optional<Timestamp> result =
      ParseTimestamp(absl::StrCat(official, kZone));
  if (!result || !offset) return std::nullopt;
  result->micros -= *offset * 60 * kMicrosPerSecond;
  return result;
}

std::string FormatTimestamp(const Timestamp& timestamp) {
  // The fraction without the zeros at its end.
  std::string text = absl::FormatTime("%E4Y-%m-%d %H:%M:%E*S",
                                      absl::FromUnixMicros(timestamp.micros),
                                      absl::UTCTimeZone());
  if (timestamp.trailing_zeros > 0) {
    if (!absl::StrContains(text, '.')) text += '.';
    text.append(timestamp.trailing_zeros, '0');
  }
  return absl::StrCat(text, kZone);
}

}  // namespace inkstream
