// A socket that listens, on an address or at a path, and can be made anew.
//
// Thread safety: one thread at a time.
#pragma once

#include <sys/socket.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/base/network_address.h"
#include "server/base/socket_file.h"

namespace inkstream::transport {

class ListeningSocket {
 public:
  // What HOST:PORT stands for. INVALID_ARGUMENT: not an address;
  // PERMISSION_DENIED: unless `network`, one that can be reached from the
  // network; UNAVAILABLE: the host is unknown.
  static absl::StatusOr<std::vector<sockaddr_storage>> PlacesOf(
      const std::string& text, bool network);
  // One for each of those that this machine has, on one port. UNAVAILABLE also:
  // what stands in the way.
  static absl::StatusOr<std::vector<ListeningSocket>> OnAddress(
      const std::string& text, bool network);
  // Replaces a dead socket file; the file goes when the socket does.
  static absl::StatusOr<ListeningSocket> OnPath(const std::string& path,
                                                const SocketAccess& access);

  ListeningSocket(ListeningSocket&& other) noexcept;
  ListeningSocket& operator=(ListeningSocket&&) = delete;
  ~ListeningSocket();

  int fd() const { return fd_; }  // -1: closed
  int port() const;               // as bound; where there is no path
  bool is_unix() const { return !path_.empty(); }
  std::string name() const;  // 127.0.0.1:50051 or unix:/run/ink.sock

  // Listens again at the same place, after the kernel has taken it away. A new
  // descriptor; the old one is closed.
  absl::Status Reopen();
  void Close();  // until then

 private:
  ListeningSocket() = default;

  int fd_ = -1;
  sockaddr_storage bound_ = {};  // where there is no path
  std::string path_;
  SocketAccess access_;
};

}  // namespace inkstream::transport
