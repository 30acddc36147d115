#include "server/transport/grpc/calls/answer_bytes.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/base/status_reason.h"

namespace inkstream::transport {

absl::Status AnswerBytes::Take(const std::string& caller, size_t bytes) {
  const std::lock_guard<std::mutex> lock(mu_);
  if (!sums_.Fits(caller, bytes)) {
    return WithRetryDelay(
        WithReason(
            absl::ResourceExhaustedError(absl::StrCat(
                "answers of ", sums_.all(), " bytes are being sent, ",
                sums_.Of(caller), " of them to ", caller,
                ", and this one has another ", bytes, "; at most ",
                sums_.limit(), " may, seven eighths of that to one caller")),
            kReasonOverloaded),
        absl::Seconds(1));
  }
  sums_.Add(caller, bytes);
  return absl::OkStatus();
}

void AnswerBytes::GiveBack(const std::string& caller, size_t bytes) {
  const std::lock_guard<std::mutex> lock(mu_);
  sums_.Remove(caller, bytes);
}

}  // namespace inkstream::transport
