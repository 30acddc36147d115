// A fetch between the caller and a thread for it.
//
// Thread safety: one thread at a time.
#pragma once

#include <utility>

#include "absl/status/status.h"
#include "server/batch/engine.h"
#include "server/batch/fetch_job.h"

namespace inkstream::batch {

// A fetch that waits for a thread. Answers CANCELLED if it never gets one.
struct FetchRequest {
  FetchRequest(FetchPlan asked, FetchDone answer)
      : plan(std::move(asked)), done(std::move(answer)) {}
  ~FetchRequest() { Answer(absl::CancelledError("the server is stopping")); }
  FetchRequest(const FetchRequest&) = delete;
  FetchRequest& operator=(const FetchRequest&) = delete;

  void Answer(absl::Status status) {
    if (done != nullptr) std::exchange(done, nullptr)(std::move(status));
  }

  const FetchPlan plan;
  FetchDone done;
};

}  // namespace inkstream::batch
