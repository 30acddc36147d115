// UploadKeys: gathers a set of keys or weights, message by message, and hands
// it to the engine. It has no say in when the server ends: keys that have not
// all come are uploaded elsewhere.
#pragma once

#include <memory>
#include <string>

#include "server/batch/view/key_upload.h"
#include "server/transport/grpc/calls/permitted_reactor.h"
#include "server/transport/grpc/server_context.h"

namespace inkstream::transport {

class UploadKeysReactor : public PermittedReactor {
 public:
  // `server` outlives the call.
  UploadKeysReactor(const ServerContext& server,
                    grpc::CallbackServerContext* call, std::string caller);

 private:
  void OnMessage() override;
  void OnHalfClose() override;
  // On a thread that may take its time.
  void Keep();

  const ServerContext& server_;
  std::unique_ptr<batch::KeyUpload> upload_;
};

}  // namespace inkstream::transport
