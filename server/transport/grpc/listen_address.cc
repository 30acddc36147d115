#include "server/transport/grpc/listen_address.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace inkstream::transport {

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

bool IsLoopback(const ListenAddress& address) {
  return absl::StartsWith(address.host, "127.") || address.host == "[::1]" ||
         address.host == "localhost";
}

}  // namespace inkstream::transport
