// Who makes a call. The one interceptor that every method of every service goes
// through asks here: without a right token, where there are tokens, a call is
// refused before any handler is asked, reflection's included. The exception is
// Health, which says what names may be asked for without one.
//
// A client's certificate was looked at by TLS; here it gives the name.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <grpcpp/server_context.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/transport/listener/connection_table.h"
#include "server/transport/security/access.h"
#include "server/transport/security/security_files.h"

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

// The name that ConnectionTable::HandOver() was told, from what gRPC calls the
// peer of a call.
std::string ConnectionName(const std::string& grpc_peer);

class Authenticator {
 public:
  using Call = grpc::ServerContextBase;
  using Metadata = std::multimap<grpc::string_ref, grpc::string_ref>;

  // `files` may be null: there is nothing to prove. Both outlive every call.
  Authenticator(const SecurityFiles* files, const ConnectionTable* connections)
      : files_(files), connections_(connections) {}

  // Once for each call, which is known until Forget(). UNAUTHENTICATED,
  // PERMISSION_DENIED: it may not be made.
  absl::Status Admit(Call* call, absl::string_view method,
                     const Metadata& metadata);
  // It has ended, or is refused for another reason: from now on nobody's.
  void Forget(const Call* call);

  // While the call is there.
  Caller CallerOf(const Call& call) const;

  // Ends calls whose tokens are no longer good for what they were good for.
  void EndRevoked();

 private:
  absl::StatusOr<std::shared_ptr<const Access>> AccessOf(
      Call* call, absl::string_view method, const Metadata& metadata) const;

  const SecurityFiles* const files_;
  const ConnectionTable* const connections_;
  mutable std::mutex mu_;
  // Of those that are open and were let in; by mu_.
  std::unordered_map<const Call*, std::shared_ptr<const Access>> calls_;
};

}  // namespace inkstream::transport
