#include "server/transport/status/bottleneck.h"

#include <algorithm>
#include <initializer_list>

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
  const auto worst_of = [](std::initializer_list<Candidate> candidates) {
    return std::max(candidates, [](const Candidate& a, const Candidate& b) {
      return a.seconds < b.seconds;
    });
  };
  const batch::WaitTimes& waited = report.waited;
  Candidate worst = worst_of({
      {report.opening, "Opening", "the stream's view was being looked for"},
      {waited.client, "The client",
       "it had granted no credit for another batch"},
      {waited.workers() + waited.disk, "The server", ""},
      {report.waited_network, "The network or the client's reader",
       "a write was in flight"},
  });
  const double share = worst.seconds / report.seconds;
  if (share < kNothing) return "Nobody waits: every part keeps up.";
  if (*worst.what == '\0') {
    // Which part of it.
    const Candidate part = worst_of({
        {waited.memory, "The server's memory",
         "there was nothing to lay a batch out in"},
        {waited.queue, "The server's workers", "they were at other batches"},
        {waited.disk, "The store's disk",
         "a batch waited for pages that were not in memory"},
        {waited.decode, "The server's decoding", "records were being decoded"},
        {waited.draw, "The server's drawing", "a batch was being drawn"},
        {waited.pack, "The server's packing", "strokes were being encoded"},
    });
    return absl::StrFormat(
        "%s is the bottleneck: for %.0f %% of the time the stream waited for "
        "the server, mostly because %s.",
        part.who, 100 * share, part.what);
  }
  return absl::StrFormat("%s is the bottleneck: for %.0f %% of the time %s.",
                         worst.who, 100 * share, worst.what);
}

}  // namespace inkstream::transport
