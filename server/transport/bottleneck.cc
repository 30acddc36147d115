#include "server/transport/bottleneck.h"

#include <algorithm>

#include "absl/strings/str_format.h"

namespace inkstream::transport {

std::string BottleneckOf(const StreamReport& report) {
  constexpr double kTooEarly = 0.5;  // seconds
  constexpr double kNothing = 0.1;   // of the time
  if (report.seconds < kTooEarly) {
    return "The stream is too young to say who waits for whom.";
  }
  struct Candidate {
    double seconds;
    const char* who;
    const char* what;
  };
  const Candidate candidates[] = {
      {report.waited.client, "The client",
       "it had granted no credit for another batch"},
      {report.waited.workers, "The server",
       "a credit waited for a batch to be drawn"},
      {report.waited_network, "The network or the client's reader",
       "a write was in flight"},
  };
  const Candidate* worst =
      std::max_element(std::begin(candidates), std::end(candidates),
                       [](const Candidate& a, const Candidate& b) {
                         return a.seconds < b.seconds;
                       });
  const double share = std::min(1.0, worst->seconds / report.seconds);
  if (share < kNothing) return "Nobody waits: every part keeps up.";
  const char* who = worst->who;
  if (worst == &candidates[1] &&
      report.waited.store > 0.5 * report.waited.workers) {
    who = "The store's disk";
  }
  return absl::StrFormat("%s is the bottleneck: for %.0f %% of the time %s.",
                         who, 100 * share, worst->what);
}

}  // namespace inkstream::transport
