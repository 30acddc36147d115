// What `--version` and `--version --json` answer.
//
// Thread safety: pure functions.
#pragma once

#include <string>

namespace inkstream::app {

std::string VersionText();
// With the versions of what two servers must agree on and of libraries: one
// object on one line, with its line feed.
std::string VersionJson();

}  // namespace inkstream::app
