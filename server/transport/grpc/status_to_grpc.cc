#include "server/transport/grpc/status_to_grpc.h"

#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "server/batch/status_reason.h"

namespace inkstream::transport {
namespace {

constexpr char kDomain[] = "inkstream";
// Trailers of more than 8 KiB are refused by peers; the text travels twice.
constexpr size_t kMaxMessage = 2000;

std::string Shortened(absl::string_view message) {
  if (message.size() <= kMaxMessage) return std::string(message);
  size_t end = kMaxMessage;
  // Not in the middle of a UTF-8 sequence.
  while (end > 0 && (message[end] & 0xC0) == 0x80) --end;
  return std::string(message.substr(0, end)) + "…";
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const std::string message = Shortened(status.message());
  const std::string reason = batch::ReasonOf(status);
  const std::optional<absl::Duration> delay = batch::RetryDelayOf(status);
  google::rpc::Status details;
  details.set_code(static_cast<int>(status.code()));
  details.set_message(message);
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
  return grpc::Status(
      static_cast<grpc::StatusCode>(status.code()), message,
      details.details().empty() ? std::string() : details.SerializeAsString());
}

std::string ReasonOf(const grpc::Status& status) {
  google::rpc::Status details;
  if (status.error_details().empty() ||
      !details.ParseFromString(status.error_details())) {
    return "";
  }
  google::rpc::ErrorInfo info;
  for (const google::protobuf::Any& detail : details.details()) {
    if (detail.UnpackTo(&info)) return info.reason();
  }
  return "";
}

}  // namespace inkstream::transport
