// Who is told of calls as they come and go, to keep a log of them.
//
// Thread safety: told from any thread, also from several at once; must not
// block.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "server/transport/listener/connection_table.h"
#include "server/transport/stream_session.h"

namespace inkstream::transport {

class CallObserver {
 public:
  virtual ~CallObserver() = default;

  // Its plan was accepted.
  virtual void OnStreamOpened(const StreamReport& stream) = 0;
  // One that had been opened; `stream.end` is set.
  virtual void OnStreamEnded(const StreamReport& stream) = 0;
  // A call that was answered with an error, or a stream that never opened.
  virtual void OnRefused(const std::string& method, const Peer& peer,
                         const absl::Status& status) = 0;
};

}  // namespace inkstream::transport
