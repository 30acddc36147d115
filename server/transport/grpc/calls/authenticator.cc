#include "server/transport/grpc/calls/authenticator.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "server/transport/grpc/calls/cancel_call.h"

namespace inkstream::transport {
namespace {

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
std::optional<absl::string_view> TokenIn(
    const Authenticator::Metadata& metadata) {
  const auto [first, end] = metadata.equal_range("authorization");
  if (first == end) return std::nullopt;
  constexpr absl::string_view kScheme = "bearer ";
  const absl::string_view text(first->second.data(), first->second.size());
  if (std::next(first) != end || !absl::StartsWithIgnoreCase(text, kScheme)) {
    return "";
  }
  return text.substr(kScheme.size());
}

// What whoever proves nothing has, where nobody must, and where others must.
std::shared_ptr<const Access> AccessOfAnybody() {
  static const auto* const anybody =
      new std::shared_ptr<const Access>(std::make_shared<const Access>());
  return *anybody;
}
std::shared_ptr<const Access> AccessOfNobody() {
  static const auto* const nobody = new std::shared_ptr<const Access>(
      std::make_shared<const Access>(Access::OfNobody()));
  return *nobody;
}

}  // namespace

std::string ConnectionName(const std::string& grpc_peer) {
  // It writes addresses as parts of a URI.
  return absl::StrReplaceAll(grpc_peer, {{"%5B", "["}, {"%5D", "]"}});
}

absl::Status Authenticator::Admit(Call* call, absl::string_view method,
                                  const Metadata& metadata) {
  // A token that is taken back meanwhile is either not found any more, or
  // EndRevoked() finds the call.
  const std::lock_guard<std::mutex> lock(mu_);
  absl::StatusOr<std::shared_ptr<const Access>> access =
      AccessOf(call, method, metadata);
  if (access.ok()) calls_[call] = *std::move(access);
  return access.status();
}

absl::StatusOr<std::shared_ptr<const Access>> Authenticator::AccessOf(
    Call* call, absl::string_view method, const Metadata& metadata) const {
  if (files_ == nullptr || !files_->asks_for_tokens()) {
    if (files_ == nullptr || !files_->asks_for_certificates()) {
      return AccessOfAnybody();
    }
    return std::make_shared<const Access>(AccessByCertificate(call->c_call()));
  }
  const std::optional<absl::string_view> token = TokenIn(metadata);
  if (!token.has_value()) {
    if (!IsHealth(method)) return absl::UnauthenticatedError(kMissing);
    return AccessOfNobody();
  }
  std::shared_ptr<const Access> access = files_->tokens()->Find(*token);
  if (access == nullptr) return absl::UnauthenticatedError(kWrong);
  if (IsForAllDatasetsOnly(method) && !access->all_datasets) {
    return absl::PermissionDeniedError(
        absl::StrCat(method, " is for tokens of all datasets; that of ",
                     access->caller, " is not"));
  }
  return access;
}

void Authenticator::Forget(const Call* call) {
  const std::lock_guard<std::mutex> lock(mu_);
  calls_.erase(call);
}

Caller Authenticator::CallerOf(const Call& call) const {
  Caller caller = {connections_->PeerOf(ConnectionName(call.peer())), nullptr};
  const std::lock_guard<std::mutex> lock(mu_);
  const auto found = calls_.find(&call);
  if (found == calls_.end()) return caller;
  caller.access = found->second;
  if (!caller.access->caller.empty()) {
    caller.peer.caller = caller.access->caller;
  }
  return caller;
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
    CancelCall(call, absl::UnauthenticatedError(kRevoked));
    grpc_call_unref(call);
  }
}

}  // namespace inkstream::transport
