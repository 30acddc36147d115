#include "client/cpp/stream/key_set_cache.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "client/cpp/messages/status_conversion.h"
#include "inkstream/errors.h"
#include "inkstream/v1/service.grpc.pb.h"

namespace inkstream::client {
namespace {

// A message of them stays far below the limit for requests.
constexpr size_t kKeysAMessage = 64 << 10;

}  // namespace

absl::StatusOr<UploadedKeys> KeySetCache::Send(
    const std::shared_ptr<grpc::Channel>& channel, grpc::ClientContext* context,
    const std::vector<int64_t>& keys) {
  v1::UploadKeysResponse response;
  const auto writer =
      v1::DrawingService::NewStub(channel)->UploadKeys(context, &response);
  for (size_t at = 0; at < keys.size(); at += kKeysAMessage) {
    const auto from = keys.begin() + static_cast<ptrdiff_t>(at);
    v1::UploadKeysRequest request;
    request.mutable_key_id()->Assign(
        from, from + static_cast<ptrdiff_t>(
                         std::min(kKeysAMessage, keys.size() - at)));
    // Where this fails, Finish() says why.
    if (!writer->Write(request)) break;
  }
  writer->WritesDone();
  const absl::Status status = FromGrpc(writer->Finish());
  if (!status.ok()) return status;
  return UploadedKeys{response.hash(), response.keys()};
}

void KeySetCache::Keep(const std::string& hash, std::vector<int64_t> keys) {
  MutexLock lock(&mutex_);
  sets_[hash] = std::make_shared<const std::vector<int64_t>>(std::move(keys));
}

bool KeySetCache::SentWhere(const absl::Status& status,
                            const std::shared_ptr<grpc::Channel>& channel,
                            const std::vector<View>& views,
                            absl::Duration timeout) const {
  if (ErrorReason(status) != "KEYS_NOT_HERE") return false;
  const absl::Time deadline = absl::Now() + timeout;
  bool sent = false;
  for (const View& view : views) {
    for (const std::string& hash : {view.include_keys, view.exclude_keys}) {
      std::shared_ptr<const std::vector<int64_t>> keys;
      {
        MutexLock lock(&mutex_);
        const auto found = sets_.find(hash);
        if (found == sets_.end()) continue;
        keys = found->second;
      }
      grpc::ClientContext context;
      context.set_deadline(absl::ToChronoTime(deadline));
      if (!Send(channel, &context, *keys).ok()) return false;
      sent = true;
    }
  }
  return sent;
}

std::vector<View> ViewsOf(const Plan& plan) {
  std::vector<View> views = plan.order.sampling.views;
  views.push_back(plan.view);
  return views;
}

}  // namespace inkstream::client
