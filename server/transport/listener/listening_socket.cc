#include "server/transport/listener/listening_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace inkstream::transport {
namespace {

// The kernel takes at most net.core.somaxconn of it.
constexpr int kBacklog = 4096;
// Bytes that a peer does not acknowledge for this long, in ms, end the
// connection: the wait for an answer to a ping.
constexpr int kUnacknowledged = 10'000;
// For loopback; in every kernel and allowed to everybody. Batches of 4 MiB,
// GB/s and CPU of both sides in s/GB, one run: bbr 1.65 (0.95), cubic 2.03
// (0.78), reno 2.31 (0.70).
constexpr char kUnpaced[] = "reno";

bool SetOption(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

// What connections inherit. Without the last two they are only slower.
bool SetUp(int fd, const sockaddr_storage& address) {
  // Without the first, a server could not come back to its port for a minute;
  // two live ones on one port stay impossible.
  if (!SetOption(fd, SOL_SOCKET, SO_REUSEADDR, 1) ||
      !SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1)) {
    return false;
  }
  if (address.ss_family == AF_INET6 &&
      !SetOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0)) {
    return false;
  }
  SetOption(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, kUnacknowledged);
  if (IsLoopback(address)) {
    setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, kUnpaced, sizeof(kUnpaced) - 1);
  }
  return true;
}

// A listening socket, or -1 and errno. `address` becomes what was bound.
int Listen(sockaddr_storage* address) {
  const int fd =
      socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  socklen_t size = SizeOf(*address);
  auto* const raw = reinterpret_cast<sockaddr*>(address);
  if (SetUp(fd, *address) && bind(fd, raw, size) == 0 &&
      listen(fd, kBacklog) == 0 && getsockname(fd, raw, &size) == 0) {
    return fd;
  }
  const int why = errno;
  close(fd);
  errno = why;
  return -1;
}

absl::Status CannotListen(const std::string& name, int why) {
  const char* reason = std::strerror(why);
  if (why == EADDRINUSE) reason = "the port is taken";
  if (why == EADDRNOTAVAIL) reason = "the address is not this machine's";
  if (why == EACCES) reason = "ports below 1024 need a privilege";
  return absl::UnavailableError(
      absl::StrCat("cannot listen on ", name, ": ", reason,
                   "; give another one, or port 0 (any free one)"));
}

// 0.0.0.0 has always meant every address, of IPv6 too where there is any; one
// socket does for both.
bool IsEveryV4(const sockaddr_storage& address) {
  sockaddr_in v4;
  std::memcpy(&v4, &address, sizeof(v4));
  return v4.sin_family == AF_INET && v4.sin_addr.s_addr == INADDR_ANY;
}

int ListenOnEvery(sockaddr_storage* v4) {
  sockaddr_in6 every = {};
  every.sin6_family = AF_INET6;
  every.sin6_addr = in6addr_any;
  // At the same place in both families.
  std::memcpy(&every.sin6_port, &reinterpret_cast<sockaddr_in*>(v4)->sin_port,
              sizeof(every.sin6_port));
  sockaddr_storage v6 = {};
  std::memcpy(&v6, &every, sizeof(every));
  const int fd = Listen(&v6);
  if (fd < 0 && errno != EADDRINUSE && errno != EACCES) return Listen(v4);
  if (fd >= 0) *v4 = v6;
  return fd;
}

void SetPort(int port, sockaddr_storage* address) {
  // At the same place in both families.
  sockaddr_in in;
  std::memcpy(&in, address, sizeof(in));
  in.sin_port = htons(static_cast<in_port_t>(port));
  std::memcpy(address, &in, sizeof(in));
}

}  // namespace

absl::StatusOr<std::vector<sockaddr_storage>> ListeningSocket::PlacesOf(
    const std::string& name, bool network) {
  absl::StatusOr<ListenAddress> address = ParseListenAddress(name);
  if (!address.ok()) return address.status();
  absl::StatusOr<std::vector<sockaddr_storage>> places = Resolve(*address);
  if (!places.ok()) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", name, ": ",
                                               places.status().message()));
  }
  for (const sockaddr_storage& place : *places) {
    if (network || IsLoopback(place)) continue;
    return absl::PermissionDeniedError(absl::StrCat(
        name,
        " can be reached from the network, and the connection would be neither "
        "encrypted nor authenticated: give --insecure-network if that is "
        "meant, or listen on 127.0.0.1"));
  }
  return places;
}

absl::StatusOr<std::vector<ListeningSocket>> ListeningSocket::OnAddress(
    const std::string& name, bool network) {
  absl::StatusOr<std::vector<sockaddr_storage>> places =
      PlacesOf(name, network);
  if (!places.ok()) return places.status();
  std::vector<ListeningSocket> sockets;
  int why = 0;
  for (sockaddr_storage& place : *places) {
    if (!sockets.empty()) SetPort(sockets.front().port(), &place);
    ListeningSocket socket;
    socket.fd_ = IsEveryV4(place) ? ListenOnEvery(&place) : Listen(&place);
    if (socket.fd_ >= 0) {
      socket.bound_ = place;
      sockets.push_back(std::move(socket));
      continue;
    }
    why = errno;
    // A name may have addresses of a family that this machine does without.
    if (why != EADDRNOTAVAIL && why != EAFNOSUPPORT) {
      return CannotListen(name, why);
    }
  }
  if (sockets.empty()) return CannotListen(name, why);
  return sockets;
}

absl::StatusOr<ListeningSocket> ListeningSocket::OnPath(
    const std::string& path, const SocketAccess& access) {
  absl::StatusOr<int> fd = ListenOnSocketFile(path, access, kBacklog);
  if (!fd.ok()) return fd.status();
  ListeningSocket socket;
  socket.fd_ = *fd;
  socket.path_ = path;
  socket.access_ = access;
  return socket;
}

ListeningSocket::ListeningSocket(ListeningSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      bound_(other.bound_),
      path_(std::move(other.path_)),
      access_(other.access_) {}

ListeningSocket::~ListeningSocket() { Close(); }

void ListeningSocket::Close() {
  if (fd_ < 0) return;
  if (is_unix()) unlink(path_.c_str());
  close(std::exchange(fd_, -1));
}

int ListeningSocket::port() const {
  sockaddr_in in;
  std::memcpy(&in, &bound_, sizeof(in));
  return ntohs(in.sin_port);
}

std::string ListeningSocket::name() const {
  return is_unix() ? absl::StrCat("unix:", path_) : ToString(bound_);
}

absl::Status ListeningSocket::Reopen() {
  Close();
  if (is_unix()) {
    absl::StatusOr<int> fd = ListenOnSocketFile(path_, access_, kBacklog);
    if (!fd.ok()) return fd.status();
    fd_ = *fd;
    return absl::OkStatus();
  }
  fd_ = Listen(&bound_);
  return fd_ >= 0 ? absl::OkStatus() : CannotListen(name(), errno);
}

}  // namespace inkstream::transport
