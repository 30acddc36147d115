#include "server/transport/grpc/answer_interceptor.h"

#include <grpcpp/server_context.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "server/transport/grpc/call_counter.h"
#include "server/transport/grpc/status_to_grpc.h"

namespace inkstream::transport {
namespace {

using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::InterceptorBatchMethods;
using grpc::experimental::ServerRpcInfo;

constexpr absl::string_view kService = "/inkstream.v1.DrawingService/";

class AnswerInterceptor : public grpc::experimental::Interceptor {
 public:
  AnswerInterceptor(std::string method, ServerRpcInfo* call,
                    ServiceCounts* counts, CallObserver* observer,
                    const ConnectionTable* connections)
      : method_(std::move(method)),
        call_(call),
        counts_(counts),
        observer_(observer),
        connections_(connections) {}

  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(
            InterceptionHookPoints::PRE_SEND_STATUS)) {
      const grpc::Status answer = methods->GetSendStatus();
      const auto code = static_cast<absl::StatusCode>(answer.error_code());
      counts_->Answered(method_, code, ReasonOf(answer));
      if (!answer.ok() && observer_ != nullptr) {
        observer_->OnRefused(method_,
                             connections_->PeerOf(ConnectionName(
                                 call_->server_context()->peer())),
                             absl::Status(code, answer.error_message()));
      }
    }
    methods->Proceed();
  }

 private:
  const std::string method_;
  ServerRpcInfo* const call_;
  ServiceCounts* const counts_;
  CallObserver* const observer_;
  const ConnectionTable* const connections_;
};

class AnswerInterceptors
    : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  AnswerInterceptors(ServiceCounts* counts, CallObserver* observer,
                     const ConnectionTable* connections)
      : counts_(counts), observer_(observer), connections_(connections) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(
      ServerRpcInfo* info) override {
    absl::string_view method = info->method();
    if (!absl::ConsumePrefix(&method, kService)) {
      method =
          absl::StartsWith(method, "/grpc.health.v1.") ? "Health" : "Other";
    }
    // A stream's end has more to tell, and its messages need no detour.
    if (method == "StreamBatches") return nullptr;
    return new AnswerInterceptor(std::string(method), info, counts_, observer_,
                                 connections_);
  }

 private:
  ServiceCounts* const counts_;
  CallObserver* const observer_;
  const ConnectionTable* const connections_;
};

}  // namespace

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
NewAnswerInterceptors(ServiceCounts* counts, CallObserver* observer,
                      const ConnectionTable* connections) {
  return std::make_unique<AnswerInterceptors>(counts, observer, connections);
}

}  // namespace inkstream::transport
