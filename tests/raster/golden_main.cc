// Draws the golden tensors with the instruction set it was compiled for and
// compares their hashes with those on record. It stands alone, so that it can
// be compiled for a machine for which no library is installed: see neon.sh.
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>

#include "hwy/highway.h"
#include "tests/support/golden_tensors.h"

int main() {
  const std::map<std::string, uint64_t> recorded = {
#include "tests/golden/tensor_hashes.inc"
  };
  int wrong = 0;
  for (const auto& tensor : inkstream::testing::GoldenTensors()) {
    const uint64_t hash = inkstream::testing::GoldenHash(tensor);
    const auto found = recorded.find(tensor.name);
    if (found != recorded.end() && found->second == hash) continue;
    ++wrong;
    std::printf("golden: %s differs: {\"%s\", 0x%" PRIx64 "U},\n",
                hwy::TargetName(HWY_STATIC_TARGET), tensor.name.c_str(), hash);
  }
  std::printf("golden: %zu tensors drawn by %s, %d differ\n", recorded.size(),
              hwy::TargetName(HWY_STATIC_TARGET), wrong);
  return wrong == 0 ? 0 : 1;
}
