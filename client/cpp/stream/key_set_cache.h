// Sets of keys and weights that this client uploaded, kept so that they can be
// sent again: servers forget them when they need the room, and other replicas
// never had them.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "inkstream/client.h"

namespace grpc {
class Channel;
class ClientContext;
}  // namespace grpc

namespace inkstream::client {

class KeySetCache {
 public:
  // The server's answer; the set is not kept yet.
  static absl::StatusOr<UploadedKeys> Send(
      const std::shared_ptr<grpc::Channel>& channel,
      grpc::ClientContext* context, const DrawingWeights& set);

  void Keep(const std::string& hash, DrawingWeights set);

  // Whether `status` is a server's wish for key sets, all of `hashes` that are
  // known were sent to it, and it is worth asking again. At most `timeout`.
  bool SentWhere(const absl::Status& status,
                 const std::shared_ptr<grpc::Channel>& channel,
                 const std::vector<std::string>& hashes,
                 absl::Duration timeout) const;

 private:
  mutable std::mutex mutex_;  // guards everything below
  // Without weights: keys alone.
  std::map<std::string, std::shared_ptr<const DrawingWeights>> sets_;
};

// The sets that resolving takes, some perhaps "".
std::vector<std::string> SetsOf(const View& view);
std::vector<std::string> SetsOf(const Plan& plan);

}  // namespace inkstream::client
