// Whether a stream that broke is opened again, and when.
//
// Thread safety: for one thread.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cpp/moment.h"

namespace inkstream::client {

class RetryPolicy {
 public:
  // `timeout`: how long one outage may last; zero: never try again.
  // `token_is_read`: the next call may have another one than the last.
  RetryPolicy(absl::Duration timeout, size_t targets,
              bool token_is_read = false);

  // The stream has been accepted once, or has moved on.
  void OnProgress();

  // How long to wait before the next try at the next target, or the error that
  // ends the stream. UNAVAILABLE is tried again: before the first progress each
  // target once and at once, later until the timeout; so is a quota
  // (RESOURCE_EXHAUSTED) where the server says how long to wait, and as long.
  // UNAUTHENTICATED where the token is read: once, since it may have been
  // replaced. Where every target lacks the cursor's data it is
  // FAILED_PRECONDITION.
  absl::StatusOr<absl::Duration> OnFailure(const absl::Status& status,
                                           Moment now);

 private:
  // `delay`, or the error where it would take too long.
  absl::StatusOr<absl::Duration> InTime(const absl::Status& status, Moment now,
                                        absl::Duration delay) const;

  const absl::Duration timeout_;
  const size_t targets_;
  const bool token_is_read_;
  bool opened_ = false;
  size_t failures_ = 0;           // since the last progress
  size_t not_here_ = 0;           // of these, in a row: GENERATION_NOT_HERE
  Moment since_ = Moment::Now();  // the first of them
  std::string other_data_;        // what the last such answer said
};

}  // namespace inkstream::client
