#include "server/transport/grpc/call_counter.h"

#include <grpcpp/server_context.h>

#include "absl/strings/str_replace.h"

namespace inkstream::transport {
namespace {

class CountedCall : public grpc::experimental::Interceptor {
 public:
  CountedCall(ConnectionTable* table, const std::string& peer)
      : table_(table), connection_(table->BeginCall(ConnectionName(peer))) {}
  // With the call.
  ~CountedCall() override { table_->EndCall(connection_); }

  void Intercept(grpc::experimental::InterceptorBatchMethods* step) override {
    step->Proceed();
  }

 private:
  ConnectionTable* const table_;
  const std::shared_ptr<ConnectionTable::Connection> connection_;
};

class CallCounter
    : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit CallCounter(ConnectionTable* table) : table_(table) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* call) override {
    return new CountedCall(table_, call->server_context()->peer());
  }

 private:
  ConnectionTable* const table_;
};

}  // namespace

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
CountCallsIn(ConnectionTable* table) {
  return std::make_unique<CallCounter>(table);
}

std::string ConnectionName(const std::string& grpc_peer) {
  // It writes addresses as parts of a URI.
  return absl::StrReplaceAll(grpc_peer, {{"%5B", "["}, {"%5D", "]"}});
}

}  // namespace inkstream::transport
