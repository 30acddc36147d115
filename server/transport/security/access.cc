#include "server/transport/security/access.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace inkstream::transport {

bool Access::MayAll(const Access& other) const {
  if (all_datasets) return true;
  return !other.all_datasets &&
         std::includes(datasets.begin(), datasets.end(), other.datasets.begin(),
                       other.datasets.end());
}

std::vector<std::string> Access::Visible(
    const std::vector<std::string>& served) const {
  std::vector<std::string> visible;
  std::copy_if(served.begin(), served.end(), std::back_inserter(visible),
               [this](const std::string& name) { return MayRead(name); });
  return visible;
}

absl::Status Access::Choose(const std::vector<std::string>& served,
                            std::string* dataset) const {
  if (all_datasets) return absl::OkStatus();
  if (!dataset->empty()) {
    if (MayRead(*dataset)) return absl::OkStatus();
    return absl::PermissionDeniedError(
        absl::StrCat("dataset: ", caller, " may not read \"", *dataset,
                     "\"; it may read ", absl::StrJoin(datasets, ", ")));
  }
  const std::vector<std::string> visible = Visible(served);
  if (visible.size() == 1) {
    *dataset = visible.front();
    return absl::OkStatus();
  }
  return absl::PermissionDeniedError(
      visible.empty()
          ? absl::StrCat("dataset: this server has none that ", caller,
                         " may read")
          : absl::StrCat("dataset: not set, and ", caller, " may read ",
                         absl::StrJoin(visible, ", ")));
}

}  // namespace inkstream::transport
