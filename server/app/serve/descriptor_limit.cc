#include "server/app/serve/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace inkstream::app {
namespace {

// Half of it for connections, the rest for stores, HTTP and what streams share.
constexpr uint64_t kLeastDescriptors = 4096;
// What gRPC has for one, silent or idle; by TLS from the first byte of its
// handshake on.
constexpr uint64_t kBytesOfAConnection = 16U << 10U;
constexpr uint64_t kBytesEncrypted = 80U << 10U;

}  // namespace

absl::StatusOr<uint64_t> RaiseDescriptorLimit() {
  rlimit limit = {};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("the limit of open files cannot be raised to ",
                     limit.rlim_max, ": ", std::strerror(errno)));
  }
  if (limit.rlim_cur < kLeastDescriptors) {
    return absl::FailedPreconditionError(absl::StrCat(
        "at most ", limit.rlim_cur, " files may be open; a server needs ",
        kLeastDescriptors,
        ": raise the hard limit (ulimit -Hn, LimitNOFILE= of systemd, "
        "--ulimit nofile= of containers)"));
  }
  return limit.rlim_cur;
}

absl::StatusOr<transport::ConnectionLimits> LimitsOfConnections(
    const ForConnections& there_are, std::optional<uint32_t> all,
    std::optional<uint32_t> of_a_peer) {
  const uint64_t most = there_are.descriptors / 2;
  const uint64_t affordable =
      there_are.bytes /
      (there_are.encrypted ? kBytesEncrypted : kBytesOfAConnection);
  if (all.value_or(0) > most) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--max-connections is ", *all, "; of the ", there_are.descriptors,
        " files that may be open half are for connections, ", most,
        ": give less, or raise the hard limit (ulimit -Hn)"));
  }
  transport::ConnectionLimits limits;
  limits.all = all.value_or(std::clamp<uint64_t>(
      affordable, 1, std::min<uint64_t>(limits.all, most)));
  limits.of_a_peer = of_a_peer.value_or(std::max(1U, limits.all / 2));
  return limits;
}

}  // namespace inkstream::app
