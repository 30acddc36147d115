#include "server/transport/grpc/raw_service.h"

// For gRPC's handlers, whose headers have other names in other versions.
#include <grpc/health/v1/health.grpc.pb.h>
#include <grpcpp/impl/rpc_service_method.h>
#include <grpcpp/server_context.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace inkstream::transport {

void RawService::Add(const std::string& name, Method method) {
  using grpc::internal::RpcServiceMethod;
  const int index = static_cast<int>(paths_.size());
  paths_.push_back(absl::StrCat("/", full_name_, "/", name));
  AddMethod(new RpcServiceMethod(paths_.back().c_str(),
                                 RpcServiceMethod::BIDI_STREAMING,
                                 /*handler=*/nullptr));
  MarkMethodRawCallback(
      index, new grpc::internal::CallbackBidiHandler<grpc::ByteBuffer,
                                                     grpc::ByteBuffer>(
                 std::move(method)));
}

}  // namespace inkstream::transport
