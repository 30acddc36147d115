// A call whose messages are read one by one, each with a permit.
//
// Read() ends in one of the On… functions, unless the call ends first: of a
// client that has gone, or a permit that was taken back, nothing more is heard.
// gRPC gives bytes; who derives from this parses them where there is time.
// Deletes itself in OnDone(), which comes after Finish() alone. Of several
// calls of Finish() the first one counts: a client that goes is told of by two
// reactions at once.
//
// Thread safety: gRPC calls one reaction at a time, but OnCancel() beside them.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <string>

#include "absl/status/status.h"
#include "server/transport/read_permits.h"

namespace inkstream::transport {

class PermittedReactor
    : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  void OnReadDone(bool ok) final;
  void OnCancel() final;
  void OnDone() override { delete this; }

 protected:
  // Both outlive the call. `caller`: whose share the permits are.
  PermittedReactor(ReadPermits* permits, std::string caller,
                   grpc::CallbackServerContext* call)
      : permits_(permits), caller_(std::move(caller)), call_(call) {}

  void Read();
  virtual void OnMessage() = 0;  // it is in message_
  // Instead of a message. INVALID_ARGUMENT, unless it means something.
  virtual void OnHalfClose();
  // While nothing is being read.
  virtual void OnGone() {}

  void Finish(const absl::Status& status);
  const std::string& caller() const { return caller_; }
  grpc::CallbackServerContext* call() const { return call_; }

  grpc::ByteBuffer message_;

 private:
  ReadPermits* const permits_;
  const std::string caller_;
  grpc::CallbackServerContext* const call_;
  std::atomic<bool> finished_{false};
};

}  // namespace inkstream::transport
