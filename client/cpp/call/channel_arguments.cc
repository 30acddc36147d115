#include "client/cpp/call/channel_arguments.h"

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "client/cpp/call/target.h"

namespace inkstream::client {
namespace {

// A vanished network is noticed after their sum; servers permit this rate.
constexpr int kKeepaliveMillis = 20'000;
constexpr int kKeepaliveTimeoutMillis = 10'000;
// What a message may carry besides the bytes that the server cuts to size.
constexpr int kMessageSlack = 64 << 10;
// Trying again is decided by the stream, so a channel must not sit out a long
// wait.
constexpr int kFirstBackoffMillis = 200;
constexpr int kLongestBackoffMillis = 2'000;
// On one host: a window of fixed size, which is 1 MiB and a bit, and frames as
// large. gRPC's window follows what pings measure, which is chance there: small
// in one run; in the next so large that batches wait in memory touched for the
// first time. Batches of 4 MiB over TCP, one run: 2.31 GB/s, client 0.33 s/GB,
// 99th percentile of waits 9.6 ms with pings; 2.33, 0.26, 4.1 without. Frames
// of 1 MiB instead of 16 KiB: 2.21 -> 2.32 GB/s; over a Unix socket 1.88 ->
// 1.93.
constexpr int kSameHostFrame = 1 << 20;

// Setting one of malloc's two fixes the other: the largest that glibc itself
// arrives at, and some batches' worth.
constexpr int kMmapThreshold = 32 << 20;
constexpr int kTrimThreshold = 16 << 20;

bool EnvironmentSetsMalloc() {
  const char* const tunables = std::getenv("GLIBC_TUNABLES");
  return std::getenv("MALLOC_TRIM_THRESHOLD_") != nullptr ||
         std::getenv("MALLOC_MMAP_THRESHOLD_") != nullptr ||
         (tunables != nullptr &&
          std::strstr(tunables, "glibc.malloc.") != nullptr);
}

// gRPC receives into blocks of malloc's that it frees with each batch. glibc
// gives them back to the kernel and faults them in again for the next one: 17 %
// of a client's CPU time at 4 MiB a batch. This makes glibc keep 16 MiB at the
// top of each arena; by itself it keeps 64 once a program has freed a block of
// 32 MiB. An environment that says otherwise is respected.
void KeepFreedMemory() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (EnvironmentSetsMalloc()) return;
    mallopt(M_MMAP_THRESHOLD, kMmapThreshold);
    mallopt(M_TRIM_THRESHOLD, kTrimThreshold);
  });
}

}  // namespace

grpc::ChannelArguments ChannelArgumentsFor(absl::string_view target,
                                           uint32_t max_message_bytes) {
  KeepFreedMemory();
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMillis);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMillis);
  // Pings also while the server is silent, or only two are ever sent.
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // A connection of one's own: a shared one would outlive a change of servers.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kFirstBackoffMillis);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kLongestBackoffMillis);
  arguments.SetMaxReceiveMessageSize(
      static_cast<int>(std::min<uint32_t>(max_message_bytes, 1U << 30U)) +
      kMessageSlack);
  if (IsLoopback(target)) {
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    arguments.SetInt(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, kSameHostFrame);
  }
  // Streams of a job spread over the replicas behind one name, and one of them
  // that hangs is passed over.
  if (IsName(target)) {
    arguments.SetLoadBalancingPolicyName("round_robin");
  }
  return arguments;
}

}  // namespace inkstream::client
