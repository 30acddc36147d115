// The operator's log of calls: a line for each stream when it is opened and
// when it ends, and for what is refused as many as are of use.
//
// Thread safety: any thread.
#pragma once

#include <string>

#include "server/app/log/log_limiter.h"
#include "server/transport/call_observer.h"

namespace inkstream::app {

class ServiceLog : public transport::CallObserver {
 public:
  void OnStreamOpened(const transport::StreamReport& stream) override;
  void OnStreamEnded(const transport::StreamReport& stream) override;
  void OnRefused(const std::string& method, const transport::Peer& peer,
                 const absl::Status& status) override;

 private:
  // Whoever opens and leaves a thousand streams a second gets no more.
  LogLimiter streams_{1000, 100};
  LogLimiter refusals_{20, 1};
};

}  // namespace inkstream::app
