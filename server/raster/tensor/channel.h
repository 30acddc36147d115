// The channels that images can have. Formulas: inkstream/image_spec.h.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace inkstream::raster {

enum class Channel : uint8_t {
  kInk,
  kOrder,
  kTime,
  kPause,
  kSpeed,
  kDirection,
  kConstant,
};

// nullopt: there is no such channel.
std::optional<Channel> ChannelNamed(absl::string_view name);

// The name that begins most like `name`; empty where none does.
absl::string_view NearestChannel(absl::string_view name);

bool NeedsTimes(Channel channel);

// Names of the channels that drawings with or without times can be drawn in.
std::vector<std::string> OfferedChannels(bool has_times);

}  // namespace inkstream::raster
