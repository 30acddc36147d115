#include "client/cpp/status_conversion.h"

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "inkstream/errors.h"

namespace inkstream {
namespace {

constexpr char kErrorInfo[] = "type.googleapis.com/google.rpc.ErrorInfo";
constexpr char kRetryInfo[] = "type.googleapis.com/google.rpc.RetryInfo";

template <typename Message>
bool ReadPayload(const absl::Status& status, const char* url,
                 Message* message) {
  const absl::optional<absl::Cord> payload = status.GetPayload(url);
  return payload.has_value() && message->ParseFromString(std::string(*payload));
}

}  // namespace

std::string ErrorReason(const absl::Status& status) {
  google::rpc::ErrorInfo info;
  return ReadPayload(status, kErrorInfo, &info) ? info.reason() : "";
}

std::optional<absl::Duration> RetryDelay(const absl::Status& status) {
  google::rpc::RetryInfo info;
  if (!ReadPayload(status, kRetryInfo, &info)) {
    return std::nullopt;
  }
  return absl::Seconds(info.retry_delay().seconds()) +
         absl::Nanoseconds(info.retry_delay().nanos());
}

namespace client {

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) {
    return absl::OkStatus();
  }
  absl::Status converted(static_cast<absl::StatusCode>(status.error_code()),
                         status.error_message());
  google::rpc::Status details;
  if (details.ParseFromString(status.error_details())) {
    for (const google::protobuf::Any& detail : details.details()) {
      if (!detail.type_url().empty()) {
        converted.SetPayload(detail.type_url(), absl::Cord(detail.value()));
      }
    }
  }
  return converted;
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
  google::rpc::ErrorInfo info;
  info.set_domain("inkstream");
  info.set_reason("GENERATION_NOT_HERE");
  absl::Status status = absl::UnavailableError(message);
  status.SetPayload(kErrorInfo, absl::Cord(info.SerializeAsString()));
  return status;
}

}  // namespace client
}  // namespace inkstream
