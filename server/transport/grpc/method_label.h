// What a call is, in a word of a closed set: metrics are labelled with it.
//
// Thread safety: pure function.
#pragma once

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace inkstream::transport {

// Of `/package.Service/Method`: a method of DrawingService, Health or Other.
inline std::string MethodLabel(absl::string_view path) {
  if (absl::ConsumePrefix(&path, "/inkstream.v1.DrawingService/")) {
    return std::string(path);
  }
  return absl::StartsWith(path, "/grpc.health.v1.") ? "Health" : "Other";
}

}  // namespace inkstream::transport
