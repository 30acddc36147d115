// TLS 1.2 or 1.3 with files that change: each handshake begins with what is in
// use then. Clients prove themselves by certificates where the files name the
// authorities to trust.
#pragma once

#include <grpcpp/security/server_credentials.h>

#include <memory>

#include "server/transport/security/security_files.h"

namespace inkstream::transport {

// REQUIRES: files->encrypts(). `files` outlive the server.
std::shared_ptr<grpc::ServerCredentials> TlsCredentials(
    const SecurityFiles* files);

}  // namespace inkstream::transport
