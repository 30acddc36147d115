#include "server/batch/work/parked_request.h"

#include <utility>

#include "absl/strings/cord.h"

namespace inkstream::batch {
namespace {

constexpr char kParked[] = "inkstream.parked";

thread_local std::shared_ptr<ParkedRequest> current_request;

}  // namespace

std::shared_ptr<ParkedRequest> CurrentRequest() { return current_request; }

std::string CurrentCaller() {
  return current_request == nullptr ? "" : current_request->caller();
}

RunningRequest::RunningRequest(std::shared_ptr<ParkedRequest> request) {
  current_request = std::move(request);
}

RunningRequest::~RunningRequest() { current_request = nullptr; }

absl::Status ParkedStatus() {
  absl::Status status = absl::AbortedError("the request is parked");
  status.SetPayload(kParked, absl::Cord());
  return status;
}

bool IsParked(const absl::Status& status) {
  return status.GetPayload(kParked).has_value();
}

}  // namespace inkstream::batch
