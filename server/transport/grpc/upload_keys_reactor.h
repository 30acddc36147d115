// UploadKeys: gathers a key set, message by message, and hands it to the
// engine. It has no say in when the server ends: keys that have not all come
// are uploaded elsewhere.
//
// Thread safety: gRPC calls one callback at a time. Deletes itself when the
// call is over.
#pragma once

#include <grpcpp/support/server_callback.h>
#include <inkstream/v1/service.pb.h>

#include <memory>
#include <string>

#include "server/transport/grpc/server_context.h"

namespace inkstream::transport {

class UploadKeysReactor
    : public grpc::ServerReadReactor<v1::UploadKeysRequest> {
 public:
  // `server` and `response` outlive the call.
  UploadKeysReactor(const ServerContext& server,
                    grpc::CallbackServerContext* call,
                    v1::UploadKeysResponse* response);

  void OnReadDone(bool ok) override;
  void OnDone() override;

 private:
  // On a thread that may take its time.
  void Keep();

  const ServerContext& server_;
  grpc::CallbackServerContext* const call_;
  const std::shared_ptr<WatchedCall> watched_;
  v1::UploadKeysResponse* const response_;
  const std::string caller_;
  v1::UploadKeysRequest message_;
  std::unique_ptr<batch::KeyUpload> upload_;
};

}  // namespace inkstream::transport
