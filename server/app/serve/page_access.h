// Who may look at the page, where callers of gRPC have to prove who they are.
//
// Thread safety: pure functions; what they give may be called from any thread.
#pragma once

#include <string>

#include "server/page/page.h"
#include "server/transport/security/security_files.h"

namespace inkstream::app {

// Whether there is a page at `http`, HOST:PORT. That port has no certificate:
// so where gRPC is guarded, not for other machines, nor where only a client's
// certificate would do.
bool OffersPage(const std::string& http,
                const transport::SecurityFiles& security);

// By gRPC's tokens. Null: none are asked for. `security` outlives what it
// gives.
page::Authorize AuthorizeBy(const transport::SecurityFiles* security);

}  // namespace inkstream::app
