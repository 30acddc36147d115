#include "client/cpp/retry_policy.h"

#include <algorithm>
#include <optional>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "inkstream/errors.h"

namespace inkstream::client {
namespace {

constexpr absl::Duration kFirstDelay = absl::Milliseconds(50);
constexpr absl::Duration kLongestDelay = absl::Seconds(3);

}  // namespace

RetryPolicy::RetryPolicy(absl::Duration timeout, size_t targets)
    : timeout_(timeout), targets_(targets) {}

void RetryPolicy::OnProgress() {
  opened_ = true;
  failures_ = 0;
  not_here_ = 0;
}

absl::StatusOr<absl::Duration> RetryPolicy::OnFailure(
    const absl::Status& status, absl::Time now) {
  if (status.code() != absl::StatusCode::kUnavailable) {
    return status;
  }
  if (failures_++ == 0) {
    since_ = now;
  }
  not_here_ = ErrorReason(status) == "GENERATION_NOT_HERE" ? not_here_ + 1 : 0;
  if (not_here_ >= targets_) {
    return absl::FailedPreconditionError(absl::StrCat(
        "no server holds the data of this stream: ", status.message()));
  }
  if (!opened_) {
    return failures_ < targets_
               ? absl::StatusOr<absl::Duration>(absl::ZeroDuration())
               : status;
  }
  // A target that was not asked yet is asked at once.
  absl::Duration delay = absl::ZeroDuration();
  if (failures_ >= targets_) {
    const auto doublings =
        static_cast<int>(std::min<size_t>(failures_ - targets_, 10));
    delay = std::min(kLongestDelay, kFirstDelay * (1 << doublings));
    // All ranks of a job lose a server at the same moment.
    absl::BitGen random;
    delay *= absl::Uniform(random, 0.5, 1.0);
    delay = std::max(delay, RetryDelay(status).value_or(delay));
  }
  if (timeout_ <= absl::ZeroDuration() || now + delay - since_ > timeout_) {
    return status;
  }
  return delay;
}

}  // namespace inkstream::client
