#include "server/transport/status/duplicate_streams.h"

#include <cstddef>
#include <map>
#include <tuple>

#include "absl/strings/str_cat.h"

namespace inkstream::transport {

std::vector<std::string> DuplicateWarnings(
    const std::vector<StreamReport>& reports) {
  const auto key_of = [](const StreamReport& report) {
    return std::tie(report.dataset, report.fingerprint, report.plan_hash,
                    report.place.epoch, report.rank, report.world,
                    report.step_offset, report.step_stride);
  };
  std::map<decltype(key_of(reports.front())), std::vector<size_t>> alike;
  for (size_t i = 0; i < reports.size(); ++i) {
    if (!reports[i].plan_hash.empty()) alike[key_of(reports[i])].push_back(i);
  }
  std::vector<std::string> warnings(reports.size());
  for (const auto& [key, duplicates] : alike) {
    if (duplicates.size() < 2) continue;
    for (const size_t i : duplicates) {
      const StreamReport& other =
          reports[i == duplicates[0] ? duplicates[1] : duplicates[0]];
      warnings[i] = absl::StrCat("Stream ", other.id, " of ", other.peer,
                                 " has the same plan, epoch and rank ",
                                 other.rank, " of ", other.world,
                                 ": both deliver the same drawings.");
    }
  }
  return warnings;
}

}  // namespace inkstream::transport
