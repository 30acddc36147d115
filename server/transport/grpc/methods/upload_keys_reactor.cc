#include "server/transport/grpc/methods/upload_keys_reactor.h"

#include <inkstream/v1/service.pb.h>

#include <utility>

#include "absl/status/statusor.h"
#include "server/service/upload_keys.h"
#include "server/transport/grpc/calls/proto_message.h"

namespace inkstream::transport {

UploadKeysReactor::UploadKeysReactor(const ServerContext& server,
                                     grpc::CallbackServerContext* call,
                                     std::string caller)
    : PermittedReactor(server.reads, std::move(caller), call),
      server_(server),
      upload_(server.engine->NewUpload(this->caller())) {
  Read();
}

void UploadKeysReactor::OnMessage() {
  v1::UploadKeysRequest request;
  absl::Status status = ParseMessage(message_, &request);
  message_.Clear();
  if (status.ok()) status = service::AddToUpload(request, upload_.get());
  if (!status.ok()) return Finish(status);
  Read();
}

void UploadKeysReactor::OnHalfClose() {
  const absl::Status status = server_.engine->Run(
      caller(), 0, [this, counted = server_.calls->Begin()] { Keep(); });
  if (!status.ok()) Finish(status);
}

void UploadKeysReactor::Keep() {
  absl::StatusOr<batch::KeptKeys> kept =
      server_.engine->Keep(std::move(upload_));
  if (!kept.ok()) return Finish(kept.status());
  v1::UploadKeysResponse response;
  response.set_hash(kept->hash);
  response.set_keys(kept->keys);
  message_ = SerializeMessage(response);
  StartWriteAndFinish(&message_, grpc::WriteOptions(), grpc::Status::OK);
}

}  // namespace inkstream::transport
