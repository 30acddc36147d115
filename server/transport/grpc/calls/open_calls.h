// All calls of a server, of every service: how many there may be, and which of
// them have an answer that their client does not take. Each costs some 30 KB
// in gRPC, for as long as its client likes. Streams are looked at by their
// sessions.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <grpcpp/server_context.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "server/batch/work/caller_sums.h"
#include "server/transport/unread_bytes.h"

namespace inkstream::transport {

class OpenCalls {
 public:
  using Clock = std::chrono::steady_clock;
  using Call = grpc::ServerContextBase;

  // At most `limit` calls, of one caller at most its share of them.
  explicit OpenCalls(uint32_t limit) : sums_(limit) {}

  // A call begins and ends; the rest is for those that have begun, and without
  // effect for others. False: there are too many, and it is to be refused.
  bool Begin(Call* call, const std::string& caller);
  void End(Call* call);

  // Everything that it is answered with has been handed over, or the next part
  // of it, which `unread` counts: null, it is short.
  void Answered(Call* call,
                std::shared_ptr<const UnreadBytes> unread = nullptr);
  // Ends the calls that were answered before `since`, but those of which some
  // was taken meanwhile.
  void EndIfStalled(Clock::time_point since);

  size_t limit() const { return sums_.limit(); }

 private:
  struct State {
    std::string caller;
    Clock::time_point answered = Clock::time_point::max();
    std::shared_ptr<const UnreadBytes> unread;
  };

  std::mutex mu_;  // guards everything below
  std::unordered_map<Call*, State> calls_;
  batch::CallerSums sums_;
};

}  // namespace inkstream::transport
