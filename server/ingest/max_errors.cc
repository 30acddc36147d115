#include "server/ingest/max_errors.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace inkstream::ingest {

absl::StatusOr<MaxErrors> MaxErrors::Parse(absl::string_view text) {
  MaxErrors result;
  result.percent_ = absl::EndsWith(text, "%");
  bool good = false;
  if (result.percent_) {
    double percent = 0;
    good = absl::SimpleAtod(text.substr(0, text.size() - 1), &percent) &&
           percent >= 0 && percent <= 100;
    result.fraction_ = percent / 100;
  } else {
    good = absl::SimpleAtoi(text, &result.number_);
  }
  if (good) return result;
  return absl::InvalidArgumentError(
      absl::StrCat("--max-errors is ", text,
                   ", expected a number (100) or a percentage (0.5%)"));
}

bool MaxErrors::IsOverAtEnd(uint64_t bad, uint64_t read) const {
  if (!percent_) return IsOverNow(bad);
  return static_cast<double>(bad) > fraction_ * static_cast<double>(read);
}

std::string MaxErrors::DebugString() const {
  return percent_ ? absl::StrCat(fraction_ * 100, "%") : absl::StrCat(number_);
}

}  // namespace inkstream::ingest
