#include "server/transport/grpc/calls/status_to_grpc.h"

#include "server/base/status_reason.h"
#include "server/wire/status_message.h"

namespace inkstream::transport {

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()),
                      wire::TravellingText(status), wire::DetailsOf(status));
}

std::string ReasonOf(const grpc::Status& status) {
  return inkstream::ReasonOf(
      wire::StatusOf(static_cast<absl::StatusCode>(status.error_code()), "",
                     status.error_details()));
}

}  // namespace inkstream::transport
