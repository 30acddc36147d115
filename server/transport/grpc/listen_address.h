// Where a server listens: addresses as people write them.
//
// Thread safety: pure functions.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace inkstream::transport {

struct ListenAddress {
  std::string host;  // with brackets where it is IPv6
  int port = 0;      // 0: any free one
};

// HOST:PORT. INVALID_ARGUMENT shows an example.
absl::StatusOr<ListenAddress> ParseListenAddress(const std::string& text);

// True for 127.0.0.0/8, ::1 and localhost.
bool IsLoopback(const ListenAddress& address);

}  // namespace inkstream::transport
