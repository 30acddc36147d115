#include "server/transport/grpc/upload_keys_reactor.h"

#include <grpcpp/server_context.h>

#include <utility>

#include "absl/status/statusor.h"
#include "server/batch/status_reason.h"
#include "server/transport/grpc/caller.h"
#include "server/transport/grpc/status_to_grpc.h"

namespace inkstream::transport {

UploadKeysReactor::UploadKeysReactor(const ServerContext& server,
                                     grpc::CallbackServerContext* call,
                                     v1::UploadKeysResponse* response)
    : server_(server),
      call_(call),
      watched_(server.watched->Add(
          call, batch::WithReason(absl::UnavailableError(
                                      "the client has stopped sending keys"),
                                  batch::kReasonIdle))),
      response_(response),
      caller_(PeerOf(*server.connections, *call).caller),
      upload_(server.engine->NewUpload()) {
  watched_->OnProgress();
  StartRead(&message_);
}

void UploadKeysReactor::OnReadDone(bool ok) {
  if (!ok) {
    // A dead client looks like this as well, and before OnCancel().
    if (call_->IsCancelled()) return Finish(grpc::Status::CANCELLED);
    watched_->OnDone();
    absl::Status status = server_.engine->Run(
        caller_, 0, [this, counted = server_.calls->Begin()] { Keep(); });
    if (!status.ok()) Finish(ToGrpcStatus(status));
    return;
  }
  watched_->OnProgress();
  absl::Status status = upload_->Add(message_.key_id());
  if (!status.ok()) return Finish(ToGrpcStatus(status));
  message_.Clear();
  StartRead(&message_);
}

void UploadKeysReactor::OnDone() {
  server_.watched->Remove(watched_);
  delete this;
}

void UploadKeysReactor::Keep() {
  absl::StatusOr<batch::KeptKeys> kept =
      server_.engine->Keep(std::move(upload_));
  if (kept.ok()) {
    response_->set_hash(kept->hash);
    response_->set_keys(kept->keys);
  }
  Finish(ToGrpcStatus(kept.status()));
}

}  // namespace inkstream::transport
