// What libmicrohttpd knows of a request, for those who do not know it.
//
// Thread safety: on the thread that serves the connection.
#pragma once

#include <microhttpd.h>

#include "absl/strings/string_view.h"
#include "server/ops/http_exchange.h"

namespace inkstream::ops {

HttpRequest RequestOf(MHD_Connection* connection, absl::string_view path);

// By TLS.
bool IsEncrypted(MHD_Connection* connection);

// Of a Host header: without the port, if there is one.
absl::string_view HostAlone(absl::string_view host);

}  // namespace inkstream::ops
