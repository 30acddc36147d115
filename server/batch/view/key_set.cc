#include "server/batch/view/key_set.h"

#include <algorithm>

#include "server/order/order_plan.h"

namespace inkstream::batch {

KeySet::KeySet(std::vector<int64_t> keys) {
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  // In memory as the hash has them: the store refuses other machines.
  hash_ = order::OrderPlanHash({reinterpret_cast<const char*>(keys.data()),
                                keys.size() * sizeof(int64_t)});
  keys_.insert(keys.begin(), keys.end());
}

}  // namespace inkstream::batch
