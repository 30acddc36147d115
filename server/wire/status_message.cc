#include "server/wire/status_message.h"

#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>

#include <optional>
#include <utility>

#include "absl/time/time.h"
#include "server/base/status_reason.h"

namespace inkstream::wire {
namespace {

constexpr char kDomain[] = "inkstream";
// Trailers of more than 8 KiB are refused by peers; the text travels twice.
constexpr size_t kMaxText = 2000;

}  // namespace

std::string TravellingText(const absl::Status& status) {
  const absl::string_view text = status.message();
  if (text.size() <= kMaxText) return std::string(text);
  size_t end = kMaxText;
  // Not in the middle of a UTF-8 sequence.
  while (end > 0 && (text[end] & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "…";
}

std::string DetailsOf(const absl::Status& status) {
  const std::string reason = ReasonOf(status);
  const std::optional<absl::Duration> delay = RetryDelayOf(status);
  if (reason.empty() && !delay.has_value()) return "";
  google::rpc::Status details;
  details.set_code(static_cast<int>(status.code()));
  details.set_message(TravellingText(status));
  if (!reason.empty()) {
    google::rpc::ErrorInfo info;
    info.set_reason(reason);
    info.set_domain(kDomain);
    details.add_details()->PackFrom(info);
  }
  if (delay.has_value()) {
    google::rpc::RetryInfo info;
    const int64_t nanos = absl::ToInt64Nanoseconds(*delay);
    info.mutable_retry_delay()->set_seconds(nanos / 1'000'000'000);
    info.mutable_retry_delay()->set_nanos(
        static_cast<int32_t>(nanos % 1'000'000'000));
    details.add_details()->PackFrom(info);
  }
  return details.SerializeAsString();
}

absl::Status StatusOf(absl::StatusCode code, absl::string_view text,
                      const std::string& details) {
  absl::Status status(code, text);
  google::rpc::Status parsed;
  if (status.ok() || !parsed.ParseFromString(details)) return status;
  google::rpc::ErrorInfo info;
  google::rpc::RetryInfo retry;
  for (const google::protobuf::Any& detail : parsed.details()) {
    if (detail.UnpackTo(&info)) {
      status = WithReason(std::move(status), info.reason());
    } else if (detail.UnpackTo(&retry)) {
      status =
          WithRetryDelay(std::move(status),
                         absl::Seconds(retry.retry_delay().seconds()) +
                             absl::Nanoseconds(retry.retry_delay().nanos()));
    }
  }
  return status;
}

}  // namespace inkstream::wire
