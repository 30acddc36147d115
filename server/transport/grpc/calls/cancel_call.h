// Ends a call from the server's side without waiting for its client.
//
// Thread safety: pure function.
#pragma once

#include <grpc/grpc.h>
#include <grpc/status.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_reason.h"

namespace inkstream::transport {

// Finish() would wait behind the bytes that the client does not take. The
// client sees the code and the text, with the reason in front, if it still can;
// never the details.
inline void CancelCall(grpc_call* call, const absl::Status& status) {
  const std::string reason = inkstream::ReasonOf(status);
  const std::string text =
      absl::StrCat(reason, reason.empty() ? "" : ": ", status.message());
  grpc_call_cancel_with_status(call,
                               static_cast<grpc_status_code>(status.code()),
                               text.c_str(), nullptr);
}

}  // namespace inkstream::transport
