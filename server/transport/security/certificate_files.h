// A server's certificate, its key, and the authorities whose clients it trusts:
// read, and looked at before anybody is shown them.
//
// Thread safety: pure functions.
#pragma once

#include <ctime>
#include <string>

#include "absl/status/statusor.h"

namespace inkstream::transport {

struct CertificatePaths {
  std::string cert;       // PEM: the server's, then those between it and a root
  std::string key;        // PEM, without a passphrase
  std::string client_ca;  // PEM, one or several; "": clients need none
};

struct Certificates {
  std::string cert;  // PEM, as read
  std::string key;
  std::string client_ca;
  std::time_t expires = 0;            // the server's own
  std::time_t client_ca_expires = 0;  // the first of them; 0: there are none
};

// INVALID_ARGUMENT names the file and what is wrong: it is not PEM, the key is
// not the certificate's. NOT_FOUND and others: it cannot be read. What has
// expired is no error.
absl::StatusOr<Certificates> LoadCertificates(const CertificatePaths& paths);

}  // namespace inkstream::transport
