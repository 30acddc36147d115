#include "server/transport/grpc/authenticator.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpcpp/alarm.h>

#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/transport/grpc/call_counter.h"
#include "server/transport/grpc/method_label.h"

namespace inkstream::transport {
namespace {

using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::InterceptorBatchMethods;
using grpc::experimental::ServerRpcInfo;
using Metadata = std::multimap<grpc::string_ref, grpc::string_ref>;

constexpr char kMissing[] =
    "this server asks for a token and the call has none; send it as metadata, "
    "authorization: Bearer TOKEN";
constexpr char kWrong[] =
    "the token of this call is none of this server's; it may have been "
    "replaced";
constexpr char kRevoked[] =
    "the token of this call has been taken back; call again with another one";
// A certificate may have a very long name.
constexpr size_t kLongestName = 200;

// Channelz tells of everybody's calls.
bool IsForAllDatasetsOnly(absl::string_view method) {
  return absl::StartsWith(method, "/grpc.channelz.");
}

bool IsHealth(absl::string_view method) {
  return absl::StartsWith(method, "/grpc.health.v1.Health/");
}

std::string PropertyOf(const grpc_auth_context* context, const char* name) {
  grpc_auth_property_iterator all =
      grpc_auth_context_find_properties_by_name(context, name);
  const grpc_auth_property* const first =
      grpc_auth_property_iterator_next(&all);
  if (first == nullptr) return "";
  return {first->value, std::min(first->value_length, kLongestName)};
}

// The first URI (SPIFFE has one), else the first DNS name, else the common
// name; "": no certificate.
std::string NameInCertificate(grpc_call* call) {
  grpc_auth_context* const context = grpc_call_auth_context(call);
  std::string name;
  for (const char* property :
       {GRPC_PEER_URI_PROPERTY_NAME, GRPC_PEER_DNS_PROPERTY_NAME,
        GRPC_X509_CN_PROPERTY_NAME}) {
    if (name.empty()) name = PropertyOf(context, property);
  }
  grpc_auth_context_release(context);
  return name;
}

Access AccessByCertificate(grpc_call* call) {
  Access access;
  const std::string name = NameInCertificate(call);
  if (!name.empty()) access.caller = absl::StrCat("cert:", name);
  return access;
}

// nullopt: there is none. "": what is there is none of ours.
std::optional<absl::string_view> TokenIn(const Metadata& metadata) {
  const auto [first, end] = metadata.equal_range("authorization");
  if (first == end) return std::nullopt;
  constexpr absl::string_view kScheme = "bearer ";
  const absl::string_view text(first->second.data(), first->second.size());
  if (std::next(first) != end || !absl::StartsWithIgnoreCase(text, kScheme)) {
    return "";
  }
  return text.substr(kScheme.size());
}

}  // namespace

class AuthenticatedCall : public grpc::experimental::Interceptor {
 public:
  AuthenticatedCall(Authenticator* all, ServerRpcInfo* info)
      : all_(all), method_(info->method()), call_(info->server_context()) {}
  ~AuthenticatedCall() override {
    const std::lock_guard<std::mutex> lock(all_->mu_);
    all_->calls_.erase(call_);
  }

  void Intercept(InterceptorBatchMethods* step) override {
    if (!step->QueryInterceptionHookPoint(
            InterceptionHookPoints::POST_RECV_INITIAL_METADATA)) {
      return step->Proceed();
    }
    const absl::Status admitted = Admit(*step->GetRecvInitialMetadata());
    if (admitted.ok()) return step->Proceed();
    const Peer peer = all_->connections_->PeerOf(ConnectionName(call_->peer()));
    const std::chrono::milliseconds pause = all_->failed_.Failed(peer.caller);
    if (pause.count() == 0) {
      Refuse(peer, admitted);
      return step->Proceed();
    }
    pause_.Set(std::chrono::system_clock::now() + pause,
               [this, step, peer, admitted](bool /*passed*/) {
                 all_->failed_.Waited();
                 Refuse(peer, admitted);
                 step->Proceed();
               });
  }

 private:
  absl::Status Admit(const Metadata& metadata) {
    // A token that is taken back meanwhile is either not found any more, or
    // EndRevoked() finds the call.
    const std::lock_guard<std::mutex> lock(all_->mu_);
    absl::StatusOr<std::shared_ptr<const Access>> access = AccessBy(metadata);
    if (access.ok()) all_->calls_.emplace(call_, *std::move(access));
    return access.status();
  }

  absl::StatusOr<std::shared_ptr<const Access>> AccessBy(
      const Metadata& metadata) const {
    if (!all_->files_->asks_for_tokens()) {
      return std::make_shared<const Access>(
          AccessByCertificate(call_->c_call()));
    }
    const std::optional<absl::string_view> token = TokenIn(metadata);
    if (!token.has_value()) {
      if (!IsHealth(method_)) return absl::UnauthenticatedError(kMissing);
      static const auto* const unknown = new std::shared_ptr<const Access>(
          std::make_shared<const Access>(Access::OfNobody()));
      return *unknown;
    }
    std::shared_ptr<const Access> access = all_->files_->tokens()->Find(*token);
    if (access == nullptr) return absl::UnauthenticatedError(kWrong);
    if (IsForAllDatasetsOnly(method_) && !access->all_datasets) {
      return absl::PermissionDeniedError(
          absl::StrCat(method_, " is for tokens of all datasets; that of ",
                       access->caller, " is not"));
    }
    return access;
  }

  void Refuse(const Peer& peer, const absl::Status& status) {
    const std::string label = MethodLabel(method_);
    all_->counts_->Answered(label, status.code(), "");
    if (all_->observer_ != nullptr) {
      all_->observer_->OnRefused(label, peer, status);
    }
    grpc_call_cancel_with_status(
        call_->c_call(), static_cast<grpc_status_code>(status.code()),
        std::string(status.message()).c_str(), nullptr);
  }

  Authenticator* const all_;
  const absl::string_view method_;
  grpc::ServerContextBase* const call_;
  grpc::Alarm pause_;
};

class CallInterceptors
    : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit CallInterceptors(Authenticator* all) : all_(all) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(
      ServerRpcInfo* info) override {
    return new AuthenticatedCall(all_, info);
  }

 private:
  Authenticator* const all_;
};

Authenticator::Authenticator(const SecurityFiles* files,
                             const ConnectionTable* connections,
                             ServiceCounts* counts, CallObserver* observer)
    : files_(files),
      connections_(connections),
      counts_(counts),
      observer_(observer) {}

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
Authenticator::Interceptors() {
  if (!has_anything_to_prove()) return nullptr;
  return std::make_unique<CallInterceptors>(this);
}

Caller Authenticator::CallerOf(const Call& call) const {
  static const auto* const anybody =
      new std::shared_ptr<const Access>(std::make_shared<const Access>());
  Caller caller = {connections_->PeerOf(ConnectionName(call.peer())), *anybody};
  const std::lock_guard<std::mutex> lock(mu_);
  if (refused_.contains(&call)) {
    caller.access = nullptr;
    return caller;
  }
  if (!has_anything_to_prove()) return caller;
  const auto found = calls_.find(&call);
  caller.access = found == calls_.end() ? nullptr : found->second;
  if (caller.access != nullptr && !caller.access->caller.empty()) {
    caller.peer.caller = caller.access->caller;
  }
  return caller;
}

void Authenticator::NoteRefused(const Call* call) {
  const std::lock_guard<std::mutex> lock(mu_);
  refused_.insert(call);
}

void Authenticator::ForgetRefused(const Call* call) {
  const std::lock_guard<std::mutex> lock(mu_);
  refused_.erase(call);
}

void Authenticator::EndRevoked() {
  const std::shared_ptr<const TokenTable> tokens = files_->tokens();
  std::vector<grpc_call*> revoked;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    for (const auto& [call, access] : calls_) {
      if (!access->known || tokens->Covers(*access)) continue;
      grpc_call* const core = const_cast<Call*>(call)->c_call();
      grpc_call_ref(core);
      revoked.push_back(core);
    }
  }
  // Without the lock: a call may end in here.
  for (grpc_call* const call : revoked) {
    grpc_call_cancel_with_status(call, GRPC_STATUS_UNAUTHENTICATED, kRevoked,
                                 nullptr);
    grpc_call_unref(call);
  }
}

}  // namespace inkstream::transport
