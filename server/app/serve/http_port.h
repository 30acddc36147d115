// What a server has at --http.
//
// Thread safety: call from the main thread.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/app/serve/memory_shares.h"
#include "server/app/serve/server_lifecycle.h"
#include "server/app/serve/service_state.h"
#include "server/batch/engine.h"
#include "server/ops/http_server.h"
#include "server/transport/call_observer.h"
#include "server/transport/security/security_files.h"

namespace inkstream::app {

// What would refuse --http, before a socket is opened.
absl::Status CheckHttp(const ServeOptions& options,
                       const transport::SecurityFiles* security);

// Null: it is not asked for. `address` becomes HOST:PORT, as bound. All that is
// pointed to outlives it.
absl::StatusOr<std::unique_ptr<ops::HttpServer>> StartHttp(
    const ServeOptions& options, const MemoryShares& shares,
    batch::Engine* engine, const transport::SecurityFiles* security,
    ServiceState* state, transport::CallObserver* observer,
    std::string* address);

}  // namespace inkstream::app
