// Ends a call from the server's side without waiting for its client.
//
// Thread safety: pure function.
#pragma once

#include <grpc/grpc.h>
#include <grpc/status.h>
#include <grpcpp/server_context.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_reason.h"

namespace inkstream::transport {

// Finish() would wait behind the bytes that the client does not take. The
// client sees the code and the text, with the reason in front, if it still can;
// never the details.
inline void CancelCall(grpc::CallbackServerContext* call,
                       const absl::Status& status) {
  const std::string text =
      absl::StrCat(inkstream::ReasonOf(status), ": ", status.message());
  grpc_call_cancel_with_status(call->c_call(),
                               static_cast<grpc_status_code>(status.code()),
                               text.c_str(), nullptr);
}

}  // namespace inkstream::transport
