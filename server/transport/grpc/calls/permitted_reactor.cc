#include "server/transport/grpc/calls/permitted_reactor.h"

#include <grpcpp/server_context.h>

#include <utility>

#include "server/transport/grpc/calls/status_to_grpc.h"

namespace inkstream::transport {
namespace {

absl::Status Gone() { return absl::CancelledError("the client has gone"); }

}  // namespace

void PermittedReactor::Read() {
  permits_->Acquire(
      this, caller_, [this] { StartRead(&message_); },
      // Nobody else finishes the call, so it is there still.
      [this](const absl::Status& status) { Finish(status); });
}

void PermittedReactor::OnReadDone(bool ok) {
  if (!permits_->Release(this)) return;  // it has ended, and been told so
  if (ok) return OnMessage();
  // A dead client looks like this as well, and before OnCancel().
  if (call_->IsCancelled()) return Finish(Gone());
  OnHalfClose();
}

void PermittedReactor::OnCancel() {
  if (permits_->Release(this)) {
    Finish(Gone());
  } else {
    OnGone();
  }
}

void PermittedReactor::OnHalfClose() {
  Finish(absl::InvalidArgumentError("the call came without a request"));
}

void PermittedReactor::Finish(const absl::Status& status) {
  if (finished_.exchange(true)) return;
  ServerBidiReactor::Finish(ToGrpcStatus(status));
}

}  // namespace inkstream::transport
