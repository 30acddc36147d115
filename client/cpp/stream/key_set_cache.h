// Sets of keys that this client uploaded, kept so that they can be sent again:
// servers forget them when they need the room, and other replicas never had
// them.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cpp/mutex.h"
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
      grpc::ClientContext* context, const std::vector<int64_t>& keys);

  void Keep(const std::string& hash, std::vector<int64_t> keys);

  // Whether `status` is a server's wish for key sets, all those of `views` that
  // are known were sent to it, and it is worth asking again. At most
  // `timeout`.
  bool SentWhere(const absl::Status& status,
                 const std::shared_ptr<grpc::Channel>& channel,
                 const std::vector<View>& views, absl::Duration timeout) const;

 private:
  mutable Mutex mutex_;
  std::map<std::string, std::shared_ptr<const std::vector<int64_t>>> sets_
      ABSL_GUARDED_BY(mutex_);
};

// Every view that resolving the plan takes.
std::vector<View> ViewsOf(const Plan& plan);

}  // namespace inkstream::client
