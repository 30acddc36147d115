#include "server/transport/grpc/call_counter.h"

#include <grpc/grpc.h>
#include <grpcpp/server_context.h>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace inkstream::transport {
namespace {

using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::InterceptorBatchMethods;
using grpc::experimental::ServerRpcInfo;

// Their answers are long, and watched by the byte.
bool IsWatchedByItself(absl::string_view method) {
  return absl::EndsWith(method, "/StreamBatches") ||
         absl::EndsWith(method, "/FetchDrawings");
}

class CountedCall : public grpc::experimental::Interceptor {
 public:
  CountedCall(ConnectionTable* table, OpenCalls* calls, ServerRpcInfo* info)
      : table_(table),
        calls_(calls),
        call_(info->server_context()),
        watched_by_itself_(IsWatchedByItself(info->method())) {
    const std::string name = ConnectionName(call_->peer());
    connection_ = table->BeginCall(name);
    refused_ = !calls_->Begin(call_, table->PeerOf(name).caller);
  }
  // With the call.
  ~CountedCall() override {
    calls_->End(call_);
    table_->EndCall(connection_);
  }

  void Intercept(InterceptorBatchMethods* step) override {
    if (std::exchange(refused_, false)) {
      const std::string text = absl::StrCat(
          "OVERLOADED: this server has ", calls_->limit(),
          " calls open, or one caller seven eighths of them: as many as may");
      grpc_call_cancel_with_status(call_->c_call(),
                                   GRPC_STATUS_RESOURCE_EXHAUSTED, text.c_str(),
                                   nullptr);
    }
    if (!watched_by_itself_ && step->QueryInterceptionHookPoint(
                                   InterceptionHookPoints::PRE_SEND_STATUS)) {
      calls_->Answered(call_);
    }
    step->Proceed();
  }

 private:
  ConnectionTable* const table_;
  OpenCalls* const calls_;
  grpc::ServerContextBase* const call_;
  const bool watched_by_itself_;
  std::shared_ptr<ConnectionTable::Connection> connection_;
  bool refused_ = false;
};

class CallCounter
    : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  CallCounter(ConnectionTable* table, OpenCalls* calls)
      : table_(table), calls_(calls) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(
      ServerRpcInfo* info) override {
    return new CountedCall(table_, calls_, info);
  }

 private:
  ConnectionTable* const table_;
  OpenCalls* const calls_;
};

}  // namespace

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
CountCallsIn(ConnectionTable* table, OpenCalls* calls) {
  return std::make_unique<CallCounter>(table, calls);
}

std::string ConnectionName(const std::string& grpc_peer) {
  // It writes addresses as parts of a URI.
  return absl::StrReplaceAll(grpc_peer, {{"%5B", "["}, {"%5D", "]"}});
}

}  // namespace inkstream::transport
