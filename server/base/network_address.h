// Addresses as people write them and as sockets have them: the one place that
// says what stays on this machine. Without gRPC; clients use it too.
//
// Thread safety: any thread. Resolve() asks the system's resolver and may wait
// for it; nothing else does.
#pragma once

#include <sys/socket.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace inkstream {

struct ListenAddress {
  std::string host;  // with brackets where it is IPv6
  int port = 0;      // 0: any free one
};

// HOST:PORT. INVALID_ARGUMENT shows an example.
absl::StatusOr<ListenAddress> ParseListenAddress(const std::string& text);

// What `address` stands for, at least one; a name may have an IPv4 and an IPv6
// address. UNAVAILABLE: the host is unknown.
absl::StatusOr<std::vector<sockaddr_storage>> Resolve(
    const ListenAddress& address);

// Bytes that a call like bind() wants to know.
socklen_t SizeOf(const sockaddr_storage& address);

// True for 127.0.0.0/8, also within IPv6, and ::1.
bool IsLoopback(const sockaddr_storage& address);
// The same for an address in digits, with or without brackets; and true for
// "localhost". Names are not resolved: 127.example.org is anybody's.
bool IsLoopbackHost(absl::string_view host);

// 10.0.0.7:4711 or [fd00::7]:4711; IPv4 within IPv6 is written as IPv4.
std::string ToString(const sockaddr_storage& address);
// The host alone, without brackets.
std::string HostOf(const sockaddr_storage& address);
// Whose share whoever comes from there has: ipv4:10.0.0.7; of IPv6 the network,
// ipv6:fd00:0:0:1::/64, in which a machine takes as many addresses as it likes;
// "localhost" for all that IsLoopback(), which are any local process's to take.
std::string CallerAt(const sockaddr_storage& address);

}  // namespace inkstream
