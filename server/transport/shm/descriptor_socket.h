// The Unix socket over which clients get the descriptors of their streams. One
// thread; it never waits for a client: one that sends no token is closed after
// some seconds, or when too many others wait.
//
// Thread safety: for one thread; the callback runs on the socket's own.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/transport/shm/slot_layout.h"
#include "server/transport/socket_file.h"

namespace inkstream::transport {

using ShmToken = std::array<char, kTokenBytes>;

class DescriptorSocket {
 public:
  // A descriptor, which is closed once it is sent; or -1.
  using Redeem = std::function<int(const ShmToken&)>;

  // Replaces a dead socket file at `path`; refuses a live one.
  static absl::StatusOr<std::unique_ptr<DescriptorSocket>> Listen(
      const std::string& path, const SocketAccess& access, Redeem redeem);

  // Stops the thread and removes the file.
  virtual ~DescriptorSocket() = default;
};

}  // namespace inkstream::transport
