// The servers a client may talk to, and a channel to one of them.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <grpcpp/channel.h>

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cpp/call/channel_maker.h"

namespace inkstream::client {

class Endpoints {
 public:
  // INVALID_ARGUMENT: no target, or one that can be no address or must not have
  // what `maker` would send.
  static absl::StatusOr<std::shared_ptr<Endpoints>> Create(
      const std::vector<std::string>& targets,
      std::shared_ptr<const ChannelMaker> maker);

  size_t size() const { return targets_.size(); }
  // Calls that a question may take: one each, two of a name, since several
  // servers may be behind it and one of them hang.
  size_t tries() const;
  std::string target() const;  // of channel()

  // The channel in use; made on the first call.
  std::shared_ptr<grpc::Channel> channel();

  // Turns to the next target, over a new connection, unless another thread
  // has already turned away from `failed`.
  void Advance(const std::shared_ptr<grpc::Channel>& failed);

  // UNAVAILABLE naming every target if none is connected before `timeout`.
  absl::Status WaitForConnected(absl::Duration timeout);

 private:
  Endpoints(std::vector<std::string> targets,
            std::shared_ptr<const ChannelMaker> maker);

  const std::vector<std::string> targets_;
  const std::shared_ptr<const ChannelMaker> maker_;
  mutable std::mutex mutex_;  // guards everything below
  size_t current_ = 0;
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace inkstream::client
