#include "server/batch/job/stream_places.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/base/status_reason.h"
#include "server/batch/work/caller_share.h"

namespace inkstream::batch {
namespace {

constexpr absl::Duration kRetryDelay = absl::Seconds(1);

absl::Status TooMany(const std::string& text) {
  return WithRetryDelay(
      WithReason(absl::ResourceExhaustedError(text), kReasonTooManyStreams),
      kRetryDelay);
}

}  // namespace

absl::StatusOr<StreamPlaces::Place> StreamPlaces::Take(
    const std::string& caller) {
  const std::lock_guard<std::mutex> lock(mu_);
  if (taken_ >= limit_) {
    return TooMany(absl::StrCat("this server has ", limit_,
                                " streams open, as many as it may "
                                "(max_streams)"));
  }
  const uint32_t share = CallerShare(limit_);
  const auto found = takers_.find(caller);
  if (found != takers_.end() && found->second >= share) {
    return TooMany(absl::StrCat(caller, " has ", share,
                                " streams open, as many as one caller may of "
                                "this server's ",
                                limit_, " (max_streams)"));
  }
  ++taken_;
  ++takers_[caller];
  return Place(nullptr, [self = shared_from_this(), caller](void*) {
    self->Give(caller);
  });
}

uint32_t StreamPlaces::taken() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return taken_;
}

void StreamPlaces::Give(const std::string& caller) {
  const std::lock_guard<std::mutex> lock(mu_);
  --taken_;
  const auto found = takers_.find(caller);
  if (--found->second == 0) takers_.erase(found);
}

}  // namespace inkstream::batch
