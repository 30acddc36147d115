#include "server/base/network_address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <cstring>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace inkstream {
namespace {

// The address as its family has it, and back. Copied, since the bytes have no
// type of their own that both families share.
template <typename Family>
Family As(const sockaddr_storage& address) {
  Family own;
  std::memcpy(&own, &address, sizeof(own));
  return own;
}
template <typename Family>
sockaddr_storage StorageOf(const Family& own) {
  sockaddr_storage address = {};
  std::memcpy(&address, &own, sizeof(own));
  return address;
}

// Clients of a socket for both families look like ::ffff:10.0.0.7 to it.
sockaddr_storage WithoutMapping(const sockaddr_storage& address) {
  if (address.ss_family != AF_INET6) return address;
  const sockaddr_in6 v6 = As<sockaddr_in6>(address);
  if (!IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) return address;
  sockaddr_in v4 = {};
  v4.sin_family = AF_INET;
  v4.sin_port = v6.sin6_port;
  std::memcpy(&v4.sin_addr, &v6.sin6_addr.s6_addr[12], sizeof(v4.sin_addr));
  return StorageOf(v4);
}

std::string WithoutBrackets(absl::string_view host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  return std::string(host);
}

}  // namespace

absl::StatusOr<ListenAddress> ParseListenAddress(const std::string& text) {
  const size_t colon = text.rfind(':');
  ListenAddress address;
  if (colon == std::string::npos || colon == 0 ||
      !absl::SimpleAtoi(text.substr(colon + 1), &address.port) ||
      address.port < 0 || address.port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text,
                     "\" is not an address to listen on; give HOST:PORT, for "
                     "example 127.0.0.1:50051 or [::1]:0 (any free port)"));
  }
  address.host = text.substr(0, colon);
  return address;
}

absl::StatusOr<std::vector<sockaddr_storage>> Resolve(
    const ListenAddress& address) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* first = nullptr;
  const int failed =
      getaddrinfo(WithoutBrackets(address.host).c_str(),
                  absl::StrCat(address.port).c_str(), &hints, &first);
  if (failed != 0) {
    return absl::UnavailableError(absl::StrCat(
        "the host ", address.host, " is unknown: ", gai_strerror(failed)));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(first,
                                                             freeaddrinfo);
  std::vector<sockaddr_storage> found;
  for (const addrinfo* one = first; one != nullptr; one = one->ai_next) {
    std::memcpy(&found.emplace_back(), one->ai_addr, one->ai_addrlen);
  }
  return found;
}

socklen_t SizeOf(const sockaddr_storage& address) {
  return address.ss_family == AF_INET ? sizeof(sockaddr_in)
                                      : sizeof(sockaddr_in6);
}

bool IsLoopback(const sockaddr_storage& address) {
  const sockaddr_storage plain = WithoutMapping(address);
  if (plain.ss_family == AF_INET) {
    return ntohl(As<sockaddr_in>(plain).sin_addr.s_addr) >> 24U == 127;
  }
  if (plain.ss_family != AF_INET6) return false;
  const sockaddr_in6 v6 = As<sockaddr_in6>(plain);
  return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
}

bool IsLoopbackHost(absl::string_view host) {
  if (absl::EqualsIgnoreCase(host, "localhost")) return true;
  const std::string digits = WithoutBrackets(host);
  sockaddr_in v4 = {};
  v4.sin_family = AF_INET;
  if (inet_pton(AF_INET, digits.c_str(), &v4.sin_addr) == 1) {
    return IsLoopback(StorageOf(v4));
  }
  sockaddr_in6 v6 = {};
  v6.sin6_family = AF_INET6;
  return inet_pton(AF_INET6, digits.c_str(), &v6.sin6_addr) == 1 &&
         IsLoopback(StorageOf(v6));
}

std::string HostOf(const sockaddr_storage& address) {
  const sockaddr_storage plain = WithoutMapping(address);
  char text[INET6_ADDRSTRLEN] = {};
  if (plain.ss_family == AF_INET) {
    const sockaddr_in v4 = As<sockaddr_in>(plain);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
  } else {
    const sockaddr_in6 v6 = As<sockaddr_in6>(plain);
    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
  }
  return text;
}

std::string CallerAt(const sockaddr_storage& address) {
  if (IsLoopback(address)) return "localhost";
  const sockaddr_storage plain = WithoutMapping(address);
  if (plain.ss_family == AF_INET) return absl::StrCat("ipv4:", HostOf(plain));
  sockaddr_in6 v6 = As<sockaddr_in6>(plain);
  std::memset(&v6.sin6_addr.s6_addr[8], 0, 8);
  return absl::StrCat("ipv6:", HostOf(StorageOf(v6)), "/64");
}

std::string ToString(const sockaddr_storage& address) {
  const std::string host = HostOf(address);
  // At the same place in both families.
  const int port = ntohs(As<sockaddr_in>(address).sin_port);
  return absl::StrContains(host, ':') ? absl::StrCat("[", host, "]:", port)
                                      : absl::StrCat(host, ":", port);
}

}  // namespace inkstream
