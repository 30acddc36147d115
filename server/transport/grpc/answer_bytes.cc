#include "server/transport/grpc/answer_bytes.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/base/status_reason.h"
#include "server/batch/work/caller_share.h"

namespace inkstream::transport {

absl::Status AnswerBytes::Take(const std::string& caller, size_t bytes) {
  const std::lock_guard<std::mutex> lock(mu_);
  const auto found = callers_.find(caller);
  const size_t own = found == callers_.end() ? 0 : found->second;
  if ((all_ > 0 && all_ + bytes > most_) ||
      (own > 0 && own + bytes > batch::CallerShare(most_))) {
    return WithRetryDelay(
        WithReason(absl::ResourceExhaustedError(absl::StrCat(
                       "answers of ", all_, " bytes are being sent, ", own,
                       " of them to ", caller, ", and this one has another ",
                       bytes, "; at most ", most_,
                       " may, seven eighths of that to one caller")),
                   kReasonOverloaded),
        absl::Seconds(1));
  }
  all_ += bytes;
  callers_[caller] = own + bytes;
  return absl::OkStatus();
}

void AnswerBytes::GiveBack(const std::string& caller, size_t bytes) {
  if (bytes == 0) return;
  const std::lock_guard<std::mutex> lock(mu_);
  all_ -= bytes;
  const auto found = callers_.find(caller);
  found->second -= bytes;
  if (found->second == 0) callers_.erase(found);
}

}  // namespace inkstream::transport
