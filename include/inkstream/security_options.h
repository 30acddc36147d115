// How a client knows its server, and proves who it is.
#pragma once

#include <optional>
#include <string>

namespace inkstream {

// Paths of files in PEM. They are read for each connection, so that replaced
// ones count from the next one on.
struct TlsOptions {
  std::string ca;    // whom to trust; "": the system's authorities
  std::string cert;  // this client's certificate and key; both or neither
  std::string key;
  // In the server's certificate; "": the target's host.
  std::string server_name;
};

struct SecurityOptions {
  std::optional<TlsOptions> tls;  // none: plaintext
  // Sent with each call as a bearer token. At most one of the two; the file is
  // read again when it has changed. Without TLS only to this host.
  std::string token;
  std::string token_file;
};

}  // namespace inkstream
