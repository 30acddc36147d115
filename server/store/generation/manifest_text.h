// What writing and reading a MANIFEST have in common.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/str_format.h"

namespace inkstream::store {

// Of a store with raw drawings.
inline constexpr char kRawFeature[] = "raw";
// The last member, behind which nothing comes but kManifestEnd.
inline constexpr char kChecksumKey[] = ",\n  \"checksum\": \"";
inline constexpr char kManifestEnd[] = "\"\n}\n";

// A checksum, a bound of a split: 16 digits.
inline std::string ManifestHex(uint64_t number) {
  return absl::StrFormat("%016x", number);
}

}  // namespace inkstream::store
