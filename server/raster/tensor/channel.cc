#include "server/raster/tensor/channel.h"

#include <algorithm>
#include <iterator>

namespace inkstream::raster {
namespace {

// In the order of the enumerators.
constexpr absl::string_view kNames[] = {
    "ink", "order", "time", "pause", "speed", "direction", "constant"};

}  // namespace

std::optional<Channel> ChannelNamed(absl::string_view name) {
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (kNames[i] == name) return static_cast<Channel>(i);
  }
  return std::nullopt;
}

absl::string_view NearestChannel(absl::string_view name) {
  absl::string_view nearest;
  std::ptrdiff_t longest = 0;
  for (const absl::string_view candidate : kNames) {
    const std::ptrdiff_t common =
        std::mismatch(name.begin(), name.end(), candidate.begin(),
                      candidate.end())
            .first -
        name.begin();
    if (common > longest) {
      longest = common;
      nearest = candidate;
    }
  }
  return nearest;
}

bool NeedsTimes(Channel channel) {
  return channel == Channel::kTime || channel == Channel::kPause ||
         channel == Channel::kSpeed;
}

std::vector<std::string> OfferedChannels(bool has_times) {
  std::vector<std::string> names;
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (has_times || !NeedsTimes(static_cast<Channel>(i))) {
      names.emplace_back(kNames[i]);
    }
  }
  return names;
}

}  // namespace inkstream::raster
