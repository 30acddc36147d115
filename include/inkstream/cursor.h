// A place in an epoch's order. The trainer owns it; any replica serves it.
//
// Thread safety: plain value.
#pragma once

#include <cstdint>
#include <string>

namespace inkstream {

struct Cursor {
  static constexpr uint32_t kVersion = 1;

  uint32_t version = kVersion;
  std::string fingerprint;  // of the store, lower-case hex, 64 characters
  std::string plan_hash;    // of the order plan, lower-case hex, 32 characters
  // Canonical text of the order plan (see server/order/README.md). Optional:
  // with it, a mismatch names the first field that differs.
  std::string order_plan;
  uint64_t seed = 0;
  uint64_t epoch = 0;
  // Drawings of this epoch's order consumed by all ranks together.
  uint64_t position = 0;

  bool operator==(const Cursor&) const = default;
};

}  // namespace inkstream
