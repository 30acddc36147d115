#include "server/transport/grpc/answer_interceptor.h"

#include <grpcpp/server_context.h>

#include <string>
#include <utility>

#include "server/transport/grpc/method_label.h"
#include "server/transport/grpc/status_to_grpc.h"

namespace inkstream::transport {
namespace {

using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::InterceptorBatchMethods;
using grpc::experimental::ServerRpcInfo;

class AnswerInterceptor : public grpc::experimental::Interceptor {
 public:
  AnswerInterceptor(std::string method, ServerRpcInfo* call,
                    ServiceCounts* counts, CallObserver* observer,
                    const Authenticator* authenticator)
      : method_(std::move(method)),
        call_(call),
        counts_(counts),
        observer_(observer),
        authenticator_(authenticator) {}

  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(
            InterceptionHookPoints::PRE_SEND_STATUS)) {
      Note(methods->GetSendStatus());
    }
    methods->Proceed();
  }

 private:
  void Note(const grpc::Status& answer) {
    const Caller caller = authenticator_->CallerOf(*call_->server_context());
    if (caller.access == nullptr) return;
    const auto code = static_cast<absl::StatusCode>(answer.error_code());
    counts_->Answered(method_, code, ReasonOf(answer));
    if (!answer.ok() && observer_ != nullptr) {
      observer_->OnRefused(method_, caller.peer,
                           absl::Status(code, answer.error_message()));
    }
  }

  const std::string method_;
  ServerRpcInfo* const call_;
  ServiceCounts* const counts_;
  CallObserver* const observer_;
  const Authenticator* const authenticator_;
};

class AnswerInterceptors
    : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  AnswerInterceptors(ServiceCounts* counts, CallObserver* observer,
                     const Authenticator* authenticator)
      : counts_(counts), observer_(observer), authenticator_(authenticator) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(
      ServerRpcInfo* info) override {
    std::string method = MethodLabel(info->method());
    // A stream's end has more to tell, and its messages need no detour.
    if (method == "StreamBatches") return nullptr;
    return new AnswerInterceptor(std::move(method), info, counts_, observer_,
                                 authenticator_);
  }

 private:
  ServiceCounts* const counts_;
  CallObserver* const observer_;
  const Authenticator* const authenticator_;
};

}  // namespace

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
NewAnswerInterceptors(ServiceCounts* counts, CallObserver* observer,
                      const Authenticator* authenticator) {
  return std::make_unique<AnswerInterceptors>(counts, observer, authenticator);
}

}  // namespace inkstream::transport
