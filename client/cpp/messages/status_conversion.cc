#include "client/cpp/messages/status_conversion.h"

#include "absl/strings/match.h"
#include "inkstream/errors.h"
#include "server/base/status_reason.h"
#include "server/wire/status_message.h"

namespace inkstream {

std::string ErrorReason(const absl::Status& status) { return ReasonOf(status); }

std::optional<absl::Duration> RetryDelay(const absl::Status& status) {
  return RetryDelayOf(status);
}

namespace client {

absl::Status FromGrpc(const grpc::Status& status) {
  return wire::StatusOf(static_cast<absl::StatusCode>(status.error_code()),
                        status.error_message(), status.error_details());
}

bool IsBrokenLink(const absl::Status& status) {
  if (status.code() != absl::StatusCode::kInternal &&
      status.code() != absl::StatusCode::kUnknown) {
    return false;
  }
  for (const char* sign :
       {"RST_STREAM", "Stream removed", "Connection reset", "GOAWAY"}) {
    if (absl::StrContains(status.message(), sign)) return true;
  }
  return false;
}

absl::Status NotHere(absl::string_view message) {
  return WithReason(absl::UnavailableError(message), kReasonGenerationNotHere);
}

}  // namespace client
}  // namespace inkstream
