// Requests that wait for what another one is making, and hold no thread
// meanwhile: they are run again when it is there.
//
// Thread safety: safe from any thread.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"

namespace inkstream::batch {

// A request that can be run again.
class ParkedRequest {
 public:
  virtual ~ParkedRequest() = default;
  virtual void Resume() = 0;
  virtual const std::string& caller() const = 0;
};

// The request that this thread runs; null: none that could be run again.
std::shared_ptr<ParkedRequest> CurrentRequest();

// On whose behalf it is; "": there is none.
std::string CurrentCaller();

// Makes it `request` until the end of this object.
class RunningRequest {
 public:
  explicit RunningRequest(std::shared_ptr<ParkedRequest> request);
  ~RunningRequest();
  RunningRequest(const RunningRequest&) = delete;
  RunningRequest& operator=(const RunningRequest&) = delete;
};

// What a request comes to that is kept somewhere to be resumed. Never told to
// anybody.
absl::Status ParkedStatus();
bool IsParked(const absl::Status& status);

}  // namespace inkstream::batch
