#include "server/batch/view/key_set.h"

#include <algorithm>

#include "server/order/order_plan.h"

namespace inkstream::batch {

KeySet::KeySet(std::vector<int64_t> keys) {
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  std::string bytes;
  bytes.reserve(8 * keys.size());
  for (const int64_t key : keys) {
    for (int shift = 0; shift < 64; shift += 8) {
      bytes.push_back(
          static_cast<char>(static_cast<uint64_t>(key) >> shift & 0xFFU));
    }
  }
  hash_ = order::OrderPlanHash(bytes);
  keys_.insert(keys.begin(), keys.end());
}

}  // namespace inkstream::batch
