#include "server/transport/grpc/calls/call_interceptor.h"

#include <grpc/grpc.h>
#include <grpcpp/alarm.h>
#include <grpcpp/server_context.h>

#include <chrono>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/base/status_reason.h"
#include "server/transport/grpc/calls/cancel_call.h"
#include "server/transport/grpc/calls/status_to_grpc.h"
#include "server/transport/security/failed_attempts.h"

namespace inkstream::transport {
namespace {

using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::InterceptorBatchMethods;
using grpc::experimental::ServerRpcInfo;

// Of calls, at some 30 KB each.
constexpr uint32_t kMostRefusalsWaiting = 256;

// Metrics are labelled with it, a word of a closed set: a method of
// DrawingService, Health or Other.
std::string MethodLabel(absl::string_view path) {
  if (absl::ConsumePrefix(&path, "/inkstream.v1.DrawingService/")) {
    return std::string(path);
  }
  return absl::StartsWith(path, "/grpc.health.v1.") ? "Health" : "Other";
}

class CallInterceptor : public grpc::experimental::Interceptor {
 public:
  CallInterceptor(const CallParties& parties, FailedAttempts* failed,
                  ServerRpcInfo* info)
      : parties_(parties),
        failed_(failed),
        method_(info->method()),
        label_(MethodLabel(method_)),
        call_(info->server_context()),
        connection_(
            parties.connections->BeginCall(ConnectionName(call_->peer()))) {}
  // With the call.
  ~CallInterceptor() override {
    parties_.authenticator->Forget(call_);
    parties_.calls->End(call_);
    parties_.connections->EndCall(connection_);
  }

  void Intercept(InterceptorBatchMethods* step) override {
    if (step->QueryInterceptionHookPoint(
            InterceptionHookPoints::POST_RECV_INITIAL_METADATA)) {
      const absl::Status admitted = parties_.authenticator->Admit(
          call_, method_, *step->GetRecvInitialMetadata());
      if (!admitted.ok()) return RefuseSlowly(step, admitted);
      Begin();
    }
    if (step->QueryInterceptionHookPoint(
            InterceptionHookPoints::PRE_SEND_STATUS)) {
      Answered(step->GetSendStatus());
    }
    step->Proceed();
  }

 private:
  // Who has proven nothing takes no place from those of the same host who have.
  void Begin() {
    const Caller caller = parties_.authenticator->CallerOf(*call_);
    if (!parties_.calls->Begin(call_, caller.peer.caller)) {
      parties_.authenticator->Forget(call_);
      Refuse(caller.peer,
             WithReason(absl::ResourceExhaustedError(absl::StrCat(
                            "this server has ", parties_.calls->limit(),
                            " calls open, or one caller seven eighths of "
                            "them: as many as may")),
                        kReasonOverloaded));
    }
    // Each holds a thread of gRPC's while its client asks for nothing.
    if (absl::StartsWith(method_, "/grpc.reflection.")) {
      parties_.calls->Answered(call_);
    }
  }

  void RefuseSlowly(InterceptorBatchMethods* step, const absl::Status& why) {
    const Peer peer =
        parties_.connections->PeerOf(ConnectionName(call_->peer()));
    const std::chrono::milliseconds pause = failed_->Failed(peer.caller);
    if (pause.count() == 0) {
      Refuse(peer, why);
      return step->Proceed();
    }
    pause_.emplace().Set(std::chrono::system_clock::now() + pause,
                         [this, step, peer, why](bool /*passed*/) {
                           failed_->Waited();
                           Refuse(peer, why);
                           step->Proceed();
                         });
  }

  void Refuse(const Peer& peer, const absl::Status& why) {
    const std::string reason = inkstream::ReasonOf(why);
    // As the client sees it.
    Note(peer,
         absl::Status(
             why.code(),
             absl::StrCat(reason, reason.empty() ? "" : ": ", why.message())),
         reason);
    CancelCall(call_->c_call(), why);
  }

  void Answered(const grpc::Status& answer) {
    const bool stream = label_ == "StreamBatches";
    // The answers of both are long, and watched by the byte.
    if (!stream && label_ != "FetchDrawings") parties_.calls->Answered(call_);
    const Caller caller = parties_.authenticator->CallerOf(*call_);
    // Refused, and noted; or it has more to tell when it ends.
    if (caller.access == nullptr || stream) return;
    Note(caller.peer,
         absl::Status(static_cast<absl::StatusCode>(answer.error_code()),
                      answer.error_message()),
         ReasonOf(answer));
  }

  void Note(const Peer& peer, const absl::Status& answer,
            const std::string& reason) {
    parties_.counts->Answered(label_, answer.code(), reason);
    if (!answer.ok() && parties_.observer != nullptr) {
      parties_.observer->OnRefused(label_, peer, answer);
    }
  }

  const CallParties& parties_;
  FailedAttempts* const failed_;
  const absl::string_view method_;
  const std::string label_;
  grpc::ServerContextBase* const call_;
  const std::shared_ptr<ConnectionTable::Connection> connection_;
  std::optional<grpc::Alarm> pause_;
};

class CallInterceptors
    : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit CallInterceptors(const CallParties& parties) : parties_(parties) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(
      ServerRpcInfo* info) override {
    return new CallInterceptor(parties_, &failed_, info);
  }

 private:
  const CallParties parties_;
  FailedAttempts failed_{kMostRefusalsWaiting};
};

}  // namespace

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
InterceptCalls(const CallParties& parties) {
  return std::make_unique<CallInterceptors>(parties);
}

}  // namespace inkstream::transport
