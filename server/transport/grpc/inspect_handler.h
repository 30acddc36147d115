// InspectDrawing: one drawing for a person.
//
// Thread safety: pure function over a thread-safe engine.
#pragma once

#include <inkstream/v1/service.pb.h>

#include <string>

#include "absl/status/status.h"
#include "inkstream/drawing.h"
#include "server/transport/grpc/server_context.h"

namespace inkstream::transport {

absl::Status InspectDrawing(const ServerContext& server,
                            const v1::InspectDrawingRequest& request,
                            v1::InspectDrawingResponse* response);

// As Quick, Draw! writes it: 2017-03-09 00:28:55.63775 UTC.
std::string TimestampText(const Timestamp& timestamp);

}  // namespace inkstream::transport
