// Members of a JSON file that have to be there.
//
// Thread safety: one thread.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace inkstream::store {

// Takes members out of JSON objects and remembers the first that is missing or
// of another type: DATA_LOSS, naming `path` and the member.
class JsonMembers {
 public:
  explicit JsonMembers(std::string path) : path_(std::move(path)) {}

  uint64_t Number(simdjson::dom::element in, const char* key) {
    uint64_t number = 0;
    if (in[key].get(number) != simdjson::SUCCESS) Missing(key);
    return number;
  }
  std::string Text(simdjson::dom::element in, const char* key) {
    std::string_view text;
    if (in[key].get(text) != simdjson::SUCCESS) Missing(key);
    return std::string(text);
  }
  uint64_t HexNumber(simdjson::dom::element in, const char* key) {
    uint64_t number = 0;
    if (!absl::SimpleHexAtoi(Text(in, key), &number)) Missing(key);
    return number;
  }
  simdjson::dom::array Array(simdjson::dom::element in, const char* key) {
    simdjson::dom::array array;
    if (in[key].get(array) != simdjson::SUCCESS) Missing(key);
    return array;
  }
  simdjson::dom::element Object(simdjson::dom::element in, const char* key) {
    simdjson::dom::element object;
    if (in[key].get(object) != simdjson::SUCCESS || !object.is_object()) {
      Missing(key);
      return in;
    }
    return object;
  }
  const absl::Status& status() const { return status_; }

 private:
  void Missing(const char* key) {
    status_.Update(absl::DataLossError(absl::StrCat(
        path_, ": member '", key, "' is missing or of another type")));
  }
  std::string path_;
  absl::Status status_;
};

}  // namespace inkstream::store
