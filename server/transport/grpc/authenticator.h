// Who makes a call, by the one interceptor that every method of every service
// goes through: without a right token, where there are tokens, it is refused
// before any handler is asked, reflection's included. The exception is Health,
// which says what names may be asked for without one.
//
// A client's certificate was looked at by TLS; here it gives the name.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_interceptor.h>

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "server/transport/call_observer.h"
#include "server/transport/listener/connection_table.h"
#include "server/transport/security/access.h"
#include "server/transport/security/failed_attempts.h"
#include "server/transport/security/security_files.h"
#include "server/transport/status/service_counts.h"

namespace inkstream::transport {

// On whose behalf a call is made, and what it may have. `peer.caller` is what
// workers' turns and quotas are shared by: the name that was proven, else the
// host, or the user of the Unix socket; never what a client says of itself.
struct Caller {
  Peer peer;
  std::shared_ptr<const Access> access;  // null: it was refused

  // See Access::Choose.
  absl::Status Choose(const std::vector<std::string>& served,
                      std::string* dataset) const {
    return access->Choose(served, dataset);
  }
};

class Authenticator {
 public:
  using Call = grpc::ServerContextBase;

  // `files` may be null: there is nothing to prove. So may `observer`. All
  // outlive every call.
  Authenticator(const SecurityFiles* files, const ConnectionTable* connections,
                ServiceCounts* counts, CallObserver* observer);

  // Null: none is needed.
  std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
  Interceptors();

  // While the call is there.
  Caller CallerOf(const Call& call) const;

  // The call was refused by others: it is answered, counted and told of
  // already. Until it ends it is nobody's.
  void NoteRefused(const Call* call);
  void ForgetRefused(const Call* call);

  // Ends calls whose tokens are no longer good for what they were good for.
  void EndRevoked();

 private:
  friend class AuthenticatedCall;
  friend class CallInterceptors;

  bool has_anything_to_prove() const {
    return files_ != nullptr &&
           (files_->asks_for_tokens() || files_->asks_for_certificates());
  }

  // Of calls, at some 30 KB each.
  static constexpr uint32_t kMostRefusalsWaiting = 256;

  const SecurityFiles* const files_;
  const ConnectionTable* const connections_;
  ServiceCounts* const counts_;
  CallObserver* const observer_;
  FailedAttempts failed_{kMostRefusalsWaiting};
  mutable std::mutex mu_;
  // Of those that are open and were let in.
  std::unordered_map<const Call*, std::shared_ptr<const Access>>
      calls_;                                // by mu_
  std::unordered_set<const Call*> refused_;  // by others; by mu_
};

}  // namespace inkstream::transport
