#include "server/transport/grpc/upload_keys_reactor.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "server/transport/grpc/status_to_grpc.h"

namespace inkstream::transport {

UploadKeysReactor::UploadKeysReactor(const ServerContext& server,
                                     v1::UploadKeysResponse* response)
    : server_(server), counted_(server.calls->Begin()), response_(response) {
  StartRead(&message_);
}

void UploadKeysReactor::OnReadDone(bool ok) {
  if (!ok) {
    absl::Status status = server_.engine->Run([this] { Keep(); });
    if (!status.ok()) Finish(ToGrpcStatus(status));
    return;
  }
  const uint64_t most = server_.engine->max_keys();
  if (keys_.size() + message_.key_id_size() > most) {
    Finish(ToGrpcStatus(absl::InvalidArgumentError(
        absl::StrCat("key_id: more than ", most,
                     " keys; that many a set are kept (max_keys)"))));
    return;
  }
  keys_.insert(keys_.end(), message_.key_id().begin(), message_.key_id().end());
  message_.Clear();
  StartRead(&message_);
}

void UploadKeysReactor::Keep() {
  absl::StatusOr<batch::KeptKeys> kept =
      server_.engine->AddKeys(std::move(keys_));
  if (kept.ok()) {
    response_->set_hash(kept->hash);
    response_->set_keys(kept->keys);
  }
  Finish(ToGrpcStatus(kept.status()));
}

}  // namespace inkstream::transport
