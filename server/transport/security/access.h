// Who a caller is, where it has proven that, and which datasets it may read.
//
// Thread safety: immutable once it is made.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace inkstream::transport {

using TokenHash = std::array<uint8_t, 32>;  // SHA-256

struct Access {
  // token:NAME or cert:NAME, which has a share of its own; "": nobody that can
  // be told from others on its host.
  std::string caller;
  bool known = true;  // not so: it has proven nothing where others must
  bool all_datasets = true;
  std::set<std::string> datasets;  // unless all of them
  TokenHash token = {};            // of a certificate: zeros

  static Access OfNobody() { return {.known = false, .all_datasets = false}; }

  bool MayRead(const std::string& dataset) const {
    return all_datasets || datasets.contains(dataset);
  }
  // Everything that `other` may.
  bool MayAll(const Access& other) const;

  // Of what a server has.
  std::vector<std::string> Visible(
      const std::vector<std::string>& served) const;

  // PERMISSION_DENIED: `dataset`, as a request has it, is not for this caller,
  // whether it exists or not. One that is left out becomes the only one that
  // this caller may read, if there is one.
  absl::Status Choose(const std::vector<std::string>& served,
                      std::string* dataset) const;
};

}  // namespace inkstream::transport
