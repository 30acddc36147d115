#include "server/app/serve/memory_shares.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/base/machine_limits.h"
#include "server/page/page.h"

namespace inkstream::app {
namespace {

// Too little to lay out a few batches in, and to keep anything else.
constexpr uint64_t kMinMemory = 64ULL << 20U;

std::string Mebibytes(uint64_t bytes) {
  return absl::StrCat((bytes + (1U << 20U) - 1) >> 20U, " MiB");
}

}  // namespace

absl::StatusOr<MemoryShares> MemorySharesOf(const ServeOptions& options) {
  const uint64_t usable = UsableMemory();
  MemoryShares shares;
  shares.all = options.memory > 0 ? options.memory : usable / 10 * 9;
  if (shares.all < kMinMemory) {
    return absl::InvalidArgumentError(absl::StrCat("--memory: ", shares.all,
                                                   " bytes; at least ",
                                                   kMinMemory, " are needed"));
  }
  if (shares.all > usable) {
    return absl::InvalidArgumentError(
        absl::StrCat("--memory: ", Mebibytes(shares.all),
                     "; this machine or container has ", Mebibytes(usable)));
  }
  shares.batches = shares.all / 4;
  shares.views = shares.all / 20;
  shares.requests = shares.all / 8;
  shares.calls = shares.all / 16;
  shares.connections = shares.all / 8;
  if (!options.http.empty()) {
    shares.page =
        std::clamp<uint64_t>(shares.all / 32, page::kMaxPixelBytes, 32U << 20U);
  }
  return shares;
}

}  // namespace inkstream::app
