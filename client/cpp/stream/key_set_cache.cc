#include "client/cpp/stream/key_set_cache.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <algorithm>
#include <utility>

#include "client/cpp/messages/status_conversion.h"
#include "client/cpp/moment.h"
#include "inkstream/errors.h"
#include "inkstream/v1/service.grpc.pb.h"

namespace inkstream::client {
namespace {

// A message of them stays far below the limit for requests.
constexpr size_t kKeysAMessage = 64 << 10;

// The part of `all` from `begin` on that one message takes.
template <typename Value, typename Field>
void Assign(const std::vector<Value>& all, size_t begin, Field* field) {
  if (begin >= all.size()) return;
  const auto from = all.begin() + static_cast<ptrdiff_t>(begin);
  field->Assign(from, from + static_cast<ptrdiff_t>(
                                 std::min(kKeysAMessage, all.size() - begin)));
}

}  // namespace

absl::StatusOr<UploadedKeys> KeySetCache::Send(
    const std::shared_ptr<grpc::Channel>& channel, grpc::ClientContext* context,
    const DrawingWeights& set) {
  v1::UploadKeysResponse response;
  const auto writer =
      v1::DrawingService::NewStub(channel)->UploadKeys(context, &response);
  const size_t all =
      std::max({set.keys.size(), set.indices.size(), set.weights.size()});
  for (size_t at = 0; at < all; at += kKeysAMessage) {
    v1::UploadKeysRequest request;
    Assign(set.keys, at, request.mutable_key_id());
    Assign(set.indices, at, request.mutable_index());
    Assign(set.weights, at, request.mutable_weights());
    // Where this fails, Finish() says why.
    if (!writer->Write(request)) break;
  }
  writer->WritesDone();
  const absl::Status status = FromGrpc(writer->Finish());
  if (!status.ok()) return status;
  return UploadedKeys{response.hash(), response.keys()};
}

void KeySetCache::Keep(const std::string& hash, DrawingWeights set) {
  const std::lock_guard<std::mutex> lock(mutex_);
  sets_[hash] = std::make_shared<const DrawingWeights>(std::move(set));
}

bool KeySetCache::SentWhere(const absl::Status& status,
                            const std::shared_ptr<grpc::Channel>& channel,
                            const std::vector<std::string>& hashes,
                            absl::Duration timeout) const {
  if (ErrorReason(status) != "KEYS_NOT_HERE") return false;
  const Moment deadline = Moment::Now() + timeout;
  bool sent = false;
  for (const std::string& hash : hashes) {
    std::shared_ptr<const DrawingWeights> set;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      const auto found = sets_.find(hash);
      if (found == sets_.end()) continue;
      set = found->second;
    }
    grpc::ClientContext context;
    context.set_deadline(deadline.ByWallClock());
    if (!Send(channel, &context, *set).ok()) return false;
    sent = true;
  }
  return sent;
}

std::vector<std::string> SetsOf(const View& view) {
  return {view.include_keys, view.exclude_keys};
}

std::vector<std::string> SetsOf(const Plan& plan) {
  std::vector<std::string> sets = SetsOf(plan.view);
  for (const View& view : plan.order.sampling.views) {
    for (std::string& hash : SetsOf(view)) sets.push_back(std::move(hash));
  }
  sets.push_back(plan.order.sampling.drawings);
  return sets;
}

}  // namespace inkstream::client
