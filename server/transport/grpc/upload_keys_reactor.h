// UploadKeys: gathers a key set, message by message, and hands it to the
// engine.
//
// Thread safety: gRPC calls one callback at a time. Deletes itself when the
// call is over.
#pragma once

#include <grpcpp/support/server_callback.h>
#include <inkstream/v1/service.pb.h>

#include <cstdint>
#include <vector>

#include "server/transport/grpc/server_context.h"

namespace inkstream::transport {

class UploadKeysReactor
    : public grpc::ServerReadReactor<v1::UploadKeysRequest> {
 public:
  // `server` and `response` outlive the call.
  UploadKeysReactor(const ServerContext& server,
                    v1::UploadKeysResponse* response);

  void OnReadDone(bool ok) override;
  void OnDone() override { delete this; }

 private:
  // On a thread that may take its time.
  void Keep();

  const ServerContext& server_;
  const CallsInFlight::Call counted_;
  v1::UploadKeysResponse* const response_;
  v1::UploadKeysRequest message_;
  std::vector<int64_t> keys_;
};

}  // namespace inkstream::transport
