// Who may look at the page, where callers of gRPC have to prove who they are.
//
// Thread safety: pure functions; what they give may be called from any thread.
#pragma once

#include <string>

#include "server/ops/http_exchange.h"
#include "server/page/page.h"
#include "server/transport/call_observer.h"
#include "server/transport/security/security_files.h"

namespace inkstream::app {

// Why there is no page at `http`, HOST:PORT: a token would cross a network in
// plaintext, or only a client's certificate would do, which nobody is asked for
// there. "": there is one.
std::string WhyNoPage(const std::string& http,
                      const transport::SecurityFiles& security);

// By gRPC's tokens. Null: none are asked for. `security` outlives what it
// gives.
page::Authorize AuthorizeBy(const transport::SecurityFiles* security);

// `page`, but who has no right token is told so as slowly as by gRPC, and
// `observer` of it at once.
ops::HttpHandler SlowedDown(ops::HttpHandler page,
                            transport::CallObserver* observer);

}  // namespace inkstream::app
