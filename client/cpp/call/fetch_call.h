// One FetchDrawings call. Whoever waits for it reads the connection itself: no
// other thread has to wake up on the way.
//
// Thread safety: any thread.
#pragma once

#include <grpcpp/channel.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "client/cpp/batch/batch_buffers.h"
#include "client/cpp/batch/rows_to_draw.h"
#include "inkstream/v1/service.pb.h"

namespace inkstream::client {

struct Fetched {
  v1::StreamOpened opened;  // what the server said first
  ReceivedBatch batch;
  std::shared_ptr<AgreedRows> rows;  // set where it comes as rows
};

// Ends at `deadline` at the latest. `target`: of the channel, for texts.
// `threads`: that draw. `buffers` must outlive the call, not its batch. An
// error is the server's status, or what is wrong with its answer.
absl::StatusOr<Fetched> Fetch(const std::shared_ptr<grpc::Channel>& channel,
                              const std::string& target,
                              const v1::FetchDrawingsRequest& request,
                              std::chrono::system_clock::time_point deadline,
                              BatchBuffers* buffers, uint64_t max_batch_bytes,
                              int threads);

}  // namespace inkstream::client
