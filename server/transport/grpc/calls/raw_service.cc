#include "server/transport/grpc/calls/raw_service.h"

// For gRPC's handlers, whose headers have other names in other versions.
#include <grpc/health/v1/health.grpc.pb.h>
#include <grpcpp/impl/rpc_service_method.h>
#include <grpcpp/server_context.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace inkstream::transport {
namespace {

// It was answered already; nothing is read of it, and nothing done.
class RefusedCall
    : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  RefusedCall() { Finish(grpc::Status::CANCELLED); }
  void OnDone() override { delete this; }
};

}  // namespace

void RawService::Add(const std::string& name, Method method) {
  using grpc::internal::RpcServiceMethod;
  const int index = static_cast<int>(paths_.size());
  paths_.push_back(absl::StrCat("/", full_name_, "/", name));
  AddMethod(new RpcServiceMethod(paths_.back().c_str(),
                                 RpcServiceMethod::BIDI_STREAMING,
                                 /*handler=*/nullptr));
  auto let_in = [this, method = std::move(method)](
                    grpc::CallbackServerContext* call) -> Reactor* {
    const Caller caller = authenticator_->CallerOf(*call);
    if (caller.access == nullptr) return new RefusedCall;
    return method(call, caller);
  };
  MarkMethodRawCallback(
      index, new grpc::internal::CallbackBidiHandler<grpc::ByteBuffer,
                                                     grpc::ByteBuffer>(
                 std::move(let_in)));
}

}  // namespace inkstream::transport
