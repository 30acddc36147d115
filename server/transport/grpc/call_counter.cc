#include "server/transport/grpc/call_counter.h"

#include <grpc/grpc.h>
#include <grpcpp/server_context.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "server/base/status_reason.h"
#include "server/transport/grpc/method_label.h"

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

// Each holds a thread of gRPC's while its client asks for nothing.
bool HoldsThread(absl::string_view method) {
  return absl::StartsWith(method, "/grpc.reflection.");
}

class CountedCall : public grpc::experimental::Interceptor {
 public:
  CountedCall(const CallCounters& counters, ServerRpcInfo* info)
      : counters_(counters),
        method_(info->method()),
        call_(info->server_context()) {
    connection_ =
        counters_.connections->BeginCall(ConnectionName(call_->peer()));
  }
  // With the call.
  ~CountedCall() override {
    if (refused_) counters_.authenticator->ForgetRefused(call_);
    counters_.calls->End(call_);
    counters_.connections->EndCall(connection_);
  }

  void Intercept(InterceptorBatchMethods* step) override {
    if (step->QueryInterceptionHookPoint(
            InterceptionHookPoints::POST_RECV_INITIAL_METADATA)) {
      Begin();
    }
    if (!IsWatchedByItself(method_) &&
        step->QueryInterceptionHookPoint(
            InterceptionHookPoints::PRE_SEND_STATUS)) {
      counters_.calls->Answered(call_);
    }
    step->Proceed();
  }

 private:
  // Behind the authenticator: whoever proves nothing takes no place from those
  // of the same host who do, and is refused already.
  void Begin() {
    const Caller caller = counters_.authenticator->CallerOf(*call_);
    if (caller.access == nullptr) return;
    refused_ = !counters_.calls->Begin(call_, caller.peer.caller);
    if (refused_) {
      counters_.authenticator->NoteRefused(call_);
      Refuse(caller.peer);
    }
    if (HoldsThread(method_)) counters_.calls->Answered(call_);
  }

  void Refuse(const Peer& peer) {
    const absl::Status status = absl::ResourceExhaustedError(absl::StrCat(
        kReasonOverloaded, ": this server has ", counters_.calls->limit(),
        " calls open, or one caller seven eighths of them: as many as may"));
    const std::string label = MethodLabel(method_);
    counters_.counts->Answered(label, status.code(), kReasonOverloaded);
    if (counters_.observer != nullptr) {
      counters_.observer->OnRefused(label, peer, status);
    }
    grpc_call_cancel_with_status(
        call_->c_call(), static_cast<grpc_status_code>(status.code()),
        std::string(status.message()).c_str(), nullptr);
  }

  const CallCounters& counters_;
  const absl::string_view method_;
  grpc::ServerContextBase* const call_;
  std::shared_ptr<ConnectionTable::Connection> connection_;
  bool refused_ = false;
};

class CallCounter
    : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit CallCounter(const CallCounters& counters) : counters_(counters) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(
      ServerRpcInfo* info) override {
    return new CountedCall(counters_, info);
  }

 private:
  const CallCounters counters_;
};

}  // namespace

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
CountCallsIn(const CallCounters& counters) {
  return std::make_unique<CallCounter>(counters);
}

std::string ConnectionName(const std::string& grpc_peer) {
  // It writes addresses as parts of a URI.
  return absl::StrReplaceAll(grpc_peer, {{"%5B", "["}, {"%5D", "]"}});
}

}  // namespace inkstream::transport
