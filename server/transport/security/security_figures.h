// How the files stand that a server proves itself with and knows callers by.
#pragma once

#include <cstddef>
#include <ctime>
#include <optional>

namespace inkstream::transport {

// Of files of one kind.
struct ReloadFigures {
  bool good = true;       // what they hold is in use
  std::time_t since = 0;  // when that was read
};

struct SecurityFigures {
  std::optional<ReloadFigures> tls;     // none: plaintext
  std::time_t expires = 0;              // the server's certificate
  std::time_t client_ca_expires = 0;    // 0: clients need no certificate
  std::optional<ReloadFigures> tokens;  // none: callers need none
  size_t token_count = 0;
};

}  // namespace inkstream::transport
