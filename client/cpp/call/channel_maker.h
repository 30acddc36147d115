// Makes the channels of a client: in plaintext or by TLS, with a token or
// without. Whatever a call carries to prove its caller is added here, so that
// no call can be without it.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/security/credentials.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "inkstream/security_options.h"

namespace inkstream::client {

// A token that stays, or is read from a file whenever that changes.
class TokenSource;

class ChannelMaker {
 public:
  // INVALID_ARGUMENT: options that exclude each other, or a file that cannot be
  // read.
  static absl::StatusOr<std::shared_ptr<const ChannelMaker>> Create(
      const SecurityOptions& options, uint32_t max_message_bytes);

  // INVALID_ARGUMENT: a token would go to `target` in plaintext, over a
  // network.
  absl::Status Check(const std::string& target) const;

  bool encrypts() const { return options_.tls.has_value(); }

  // A connection of its own, made when it is first used. Files that cannot be
  // read now are as they were when they could.
  std::shared_ptr<grpc::Channel> Make(const std::string& target) const;

 private:
  ChannelMaker(SecurityOptions options, uint32_t max_message_bytes,
               std::shared_ptr<TokenSource> token)
      : options_(std::move(options)),
        max_message_bytes_(max_message_bytes),
        token_(std::move(token)) {}

  std::shared_ptr<grpc::ChannelCredentials> Credentials() const;

  const SecurityOptions options_;
  const uint32_t max_message_bytes_;
  const std::shared_ptr<TokenSource> token_;  // null: none is sent
  mutable std::mutex mutex_;
  // Guarded by it.
  mutable std::shared_ptr<grpc::ChannelCredentials> last_read_;
};

}  // namespace inkstream::client
