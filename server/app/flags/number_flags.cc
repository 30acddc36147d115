#include "server/app/flags/number_flags.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace inkstream::app {
namespace {

constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
constexpr absl::string_view kPowers = "kmgtpe";  // of 1024, from the first on

bool ReadDigits(absl::string_view text, uint64_t* number) {
  return !text.empty() && absl::ascii_isdigit(text.front()) &&
         absl::SimpleAtoi(text, number);
}

}  // namespace

CLI::Validator WholeNumber(uint64_t most) {
  const auto read = [most](std::string& given) -> std::string {
    uint64_t number = 0;
    if (!ReadDigits(given, &number) || number > most) {
      return absl::StrCat(given, " is not a whole number in 0..", most);
    }
    given = absl::StrCat(number);
    return "";
  };
  return CLI::Validator(read, "");
}

CLI::Validator ByteSize() {
  const auto read = [](std::string& given) -> std::string {
    const std::string lower = absl::AsciiStrToLower(given);
    absl::string_view digits = lower;
    if (!absl::ConsumeSuffix(&digits, "ib")) absl::ConsumeSuffix(&digits, "b");
    size_t power = 0;
    if (!digits.empty() && absl::StrContains(kPowers, digits.back())) {
      power = kPowers.find(digits.back()) + 1;
      digits.remove_suffix(1);
    }
    uint64_t bytes = 0;
    if (!ReadDigits(absl::StripTrailingAsciiWhitespace(digits), &bytes) ||
        bytes > kMost >> (10 * power)) {
      return absl::StrCat(given,
                          " is no number of bytes: give such as 536870912, "
                          "512MiB or 2GiB");
    }
    given = absl::StrCat(bytes << (10 * power));
    return "";
  };
  return CLI::Validator(read, "");
}

}  // namespace inkstream::app
