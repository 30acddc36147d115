#include "server/batch/job/stream_places.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/base/status_reason.h"

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
  if (sums_.all() >= sums_.limit()) {
    return TooMany(absl::StrCat("this server has ", sums_.limit(),
                                " streams open, as many as it may "
                                "(max_streams)"));
  }
  if (!sums_.Fits(caller, 1)) {
    return TooMany(absl::StrCat(caller, " has ", sums_.Of(caller),
                                " streams open, as many as one caller may of "
                                "this server's ",
                                sums_.limit(), " (max_streams)"));
  }
  sums_.Add(caller, 1);
  return Place(nullptr, [self = shared_from_this(), caller](void*) {
    self->Give(caller);
  });
}

uint32_t StreamPlaces::taken() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return static_cast<uint32_t>(sums_.all());
}

void StreamPlaces::Give(const std::string& caller) {
  const std::lock_guard<std::mutex> lock(mu_);
  sums_.Remove(caller, 1);
}

}  // namespace inkstream::batch
