// One file on a web server, fetched so that it is complete or absent.
//
// It grows as PATH.part, beside PATH.part.tag with the entity tag of what is in
// it; a later call goes on from there if the server still has that entity.
//
// Thread safety: pure functions of the file system; two processes that fetch
// the same path do not: the later one is refused.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/ingest/fetch/http_client.h"

namespace inkstream::ingest {

struct RemoteFile {
  std::string url;
  std::string path;
  std::optional<uint64_t> bytes;  // what it must have, if that is known
};

struct RetryRule {
  int tries = 6;                              // in a row without a new byte
  std::chrono::milliseconds first_wait{500};  // doubles, up to a minute
};

// Bytes that came (negative: a part was thrown away).
using ByteProgress = std::function<void(int64_t)>;

// Size on the server, nullopt where it does not say. NOT_FOUND,
// PERMISSION_DENIED: the server's word. UNAVAILABLE: it does not answer.
absl::StatusOr<std::optional<uint64_t>> SizeOf(
    HttpClient* client, const std::string& url, const RetryRule& retry,
    const std::function<bool()>& interrupted);

// Replaces `path` when everything has come and sizes and MD5, where the server
// gives one, agree. DATA_LOSS: they do not, twice. FAILED_PRECONDITION: another
// process fetches it. Errors and interrupts leave the part.
absl::Status FetchFile(HttpClient* client, const RemoteFile& file,
                       const RetryRule& retry,
                       const std::function<bool()>& interrupted,
                       const ByteProgress& progress);

// Bytes of an unfinished part of `path`.
uint64_t PartBytes(const std::string& path);

}  // namespace inkstream::ingest
