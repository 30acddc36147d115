// InspectDrawing: one drawing for a person.
//
// Thread safety: pure function over a thread-safe engine.
#pragma once

#include <inkstream/v1/service.pb.h>

#include <string>

#include "absl/status/status.h"
#include "inkstream/drawing.h"
#include "server/service/service.h"

namespace inkstream::service {

absl::Status InspectDrawing(const Service& service,
                            const v1::InspectDrawingRequest& request,
                            v1::InspectDrawingResponse* response);

}  // namespace inkstream::service
