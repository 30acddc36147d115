// How many bad records are borne: --max-errors N or P%.
//
// Thread safety: plain value.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace inkstream::ingest {

class MaxErrors {
 public:
  MaxErrors() = default;  // 1 %

  // "100" or "0.5%". INVALID_ARGUMENT: anything else.
  static absl::StatusOr<MaxErrors> Parse(absl::string_view text);

  // A number is over as soon as it is passed, a percentage is not known to be
  // before the end.
  bool IsOverNow(uint64_t bad) const { return !percent_ && bad > number_; }
  bool IsOverAtEnd(uint64_t bad, uint64_t read) const;

  std::string DebugString() const;

 private:
  bool percent_ = true;
  uint64_t number_ = 0;
  double fraction_ = 0.01;
};

}  // namespace inkstream::ingest
