#include "client/cpp/stream/retry_policy.h"

#include <algorithm>
#include <optional>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "client/cpp/moment.h"
#include "inkstream/errors.h"

namespace inkstream::client {
namespace {

constexpr absl::Duration kFirstDelay = absl::Milliseconds(50);
constexpr absl::Duration kLongestDelay = absl::Seconds(3);

// The reason and the delay that came with `status` stay.
absl::Status Reworded(const absl::Status& status, absl::StatusCode code,
                      absl::string_view message) {
  absl::Status reworded(code, message);
  status.ForEachPayload(
      [&reworded](absl::string_view url, const absl::Cord& payload) {
        reworded.SetPayload(url, payload);
      });
  return reworded;
}

}  // namespace

RetryPolicy::RetryPolicy(absl::Duration timeout, size_t targets,
                         bool token_is_read)
    : timeout_(timeout), targets_(targets), token_is_read_(token_is_read) {}

void RetryPolicy::OnProgress() {
  opened_ = true;
  failures_ = 0;
  not_here_ = 0;
  other_data_.clear();
}

absl::StatusOr<absl::Duration> RetryPolicy::OnFailure(
    const absl::Status& status, Moment now) {
  const bool quota = status.code() == absl::StatusCode::kResourceExhausted &&
                     RetryDelay(status).has_value();
  if (absl::IsUnauthenticated(status) && token_is_read_ && failures_ == 0) {
    ++failures_;
    since_ = now;
    return absl::ZeroDuration();
  }
  if (status.code() != absl::StatusCode::kUnavailable && !quota) {
    return status;
  }
  if (failures_++ == 0) {
    since_ = now;
  }
  if (quota) {
    absl::BitGen random;
    return InTime(
        status, now,
        *RetryDelay(status) + kFirstDelay * absl::Uniform(random, 0.0, 1.0));
  }
  if (ErrorReason(status) == "GENERATION_NOT_HERE") {
    ++not_here_;
    other_data_ = std::string(status.message());
  } else {
    not_here_ = 0;
  }
  if (not_here_ >= targets_) {
    return Reworded(
        status, absl::StatusCode::kFailedPrecondition,
        absl::StrCat("no server can give this stream: ", status.message()));
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
  return InTime(status, now, delay);
}

absl::StatusOr<absl::Duration> RetryPolicy::InTime(const absl::Status& status,
                                                   Moment now,
                                                   absl::Duration delay) const {
  if (timeout_ > absl::ZeroDuration() && now + delay - since_ <= timeout_) {
    return delay;
  }
  if (other_data_.empty() || other_data_ == status.message()) return status;
  return Reworded(
      status, status.code(),
      absl::StrCat(status.message(), "; and another replica: ", other_data_));
}

}  // namespace inkstream::client
