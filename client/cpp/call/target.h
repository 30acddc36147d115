// Addresses of servers: which are right, and what a wrong one was probably
// meant to be. The Python client has the same rules (_addresses.py).
//
// Thread safety: any thread.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace inkstream::client {

// Where to connect: `target` itself, or each of several numeric addresses in
// it, so that one that fails is left alone. INVALID_ARGUMENT with what was
// probably meant: nobody can be reached by it.
absl::StatusOr<std::vector<std::string>> EndpointsOf(absl::string_view target);

// By what it says, without asking a name server.
bool IsLoopback(absl::string_view target);

// A name server says where it is, so several servers may be behind it.
bool IsName(absl::string_view target);

// As errors name it: with the proxy between it and this process, if any.
std::string InWords(absl::string_view target);

}  // namespace inkstream::client
