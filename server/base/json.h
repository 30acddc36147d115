// JSON answers for programs, by nlohmann's library: it writes a few lines a
// run, and commas, quotes and nesting are no business of ours.
//
// Thread safety: pure function.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace inkstream {

// Members keep their order.
using Json = nlohmann::ordered_json;

// On one line, with its line feed. Bytes that are not UTF-8 are replaced.
inline std::string JsonLine(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace inkstream
