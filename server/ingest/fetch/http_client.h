// One HTTP(S) connection at a time, through libcurl: proxies, redirects and TLS
// as a person's curl has them.
//
// Nothing waits for ever: connecting takes at most 15 s, and a transfer that
// moves less than a byte a second for `stall` is given up.
//
// Thread safety: one object a thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace inkstream::ingest {

struct HttpRequest {
  std::string url;
  bool head = false;     // headers only
  uint64_t offset = 0;   // > 0: the rest from here
  std::string if_range;  // entity tag that the first `offset` bytes have
};

// What the headers say. Absent: not said.
struct HttpReply {
  int status = 0;
  uint64_t offset = 0;                 // of the body's first byte
  std::optional<uint64_t> file_bytes;  // of the whole file
  std::string entity_tag;              // strong ones only
  std::string md5;                     // of the whole file, base64
  std::optional<std::chrono::seconds> retry_after;
};

class HttpClient {
 public:
  struct Options {
    std::chrono::seconds stall{30};
    // Looked at about once a second and at each piece of data.
    std::function<bool()> interrupted;
  };

  // Called once before the first byte; an error ends the transfer with it.
  using OnReply = std::function<absl::Status(const HttpReply&)>;
  using OnData = std::function<absl::Status(absl::string_view)>;

  static absl::StatusOr<std::unique_ptr<HttpClient>> Create(Options options);
  virtual ~HttpClient() = default;

  // Bodies of statuses other than 200 and 206 are dropped. UNAVAILABLE: worth
  // another try (no connection, a transfer cut short). CANCELLED: interrupted.
  // INVALID_ARGUMENT: not a URL, or not http(s). The status is not judged.
  virtual absl::StatusOr<HttpReply> Get(const HttpRequest& request,
                                        const OnReply& on_reply,
                                        const OnData& on_data) = 0;
};

// `text` as one part of a URL's path: spaces become %20.
std::string UrlEscaped(absl::string_view text);

}  // namespace inkstream::ingest
