#include "server/ingest/fetch/http_client.h"

#include <curl/curl.h>

#include <mutex>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace inkstream::ingest {
namespace {

constexpr long kConnectSeconds = 15;
constexpr long kMaxRedirects = 5;

struct CloseHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};

// One transfer: collects the headers of the last response of a chain of
// redirects, then passes the body on.
struct Transfer {
  CURL* handle = nullptr;
  const HttpRequest* request = nullptr;
  const HttpClient::OnReply* on_reply = nullptr;
  const HttpClient::OnData* on_data = nullptr;
  const std::function<bool()>* interrupted = nullptr;
  HttpReply reply;
  std::optional<uint64_t> content_length;
  bool announced = false;
  absl::Status status;  // of the callbacks

  bool Stopped() {
    if (*interrupted == nullptr || !(*interrupted)()) return false;
    if (status.ok()) status = absl::CancelledError("interrupted");
    return true;
  }

  // Before the first byte, and once for an empty body.
  bool Announce() {
    if (announced) return status.ok();
    announced = true;
    if (reply.status != 206 && content_length.has_value()) {
      reply.file_bytes = content_length;
    }
    if (reply.status == 200 || reply.status == 206) {
      status = (*on_reply)(reply);
    }
    return status.ok();
  }
};

// "bytes 5-9/10"; the total may be "*".
void ReadContentRange(absl::string_view value, HttpReply* reply) {
  if (!absl::ConsumePrefix(&value, "bytes ")) return;
  const std::vector<absl::string_view> parts = absl::StrSplit(value, '/');
  if (parts.size() != 2) return;
  uint64_t number = 0;
  const std::vector<absl::string_view> range = absl::StrSplit(parts[0], '-');
  if (absl::SimpleAtoi(range[0], &number)) reply->offset = number;
  if (absl::SimpleAtoi(parts[1], &number)) reply->file_bytes = number;
}

size_t OnHeader(char* bytes, size_t, size_t count, void* user) {
  auto* transfer = static_cast<Transfer*>(user);
  absl::string_view line(bytes, count);
  if (absl::StartsWith(line, "HTTP/")) {  // a response begins, perhaps not the
    transfer->reply = HttpReply();        // first one
    transfer->content_length.reset();
    const std::vector<absl::string_view> parts = absl::StrSplit(line, ' ');
    if (parts.size() > 1 &&
        !absl::SimpleAtoi(absl::StripAsciiWhitespace(parts[1]),
                          &transfer->reply.status)) {
      return 0;
    }
    return count;
  }
  const size_t colon = line.find(':');
  if (colon == absl::string_view::npos) return count;
  const std::string name = absl::AsciiStrToLower(line.substr(0, colon));
  const absl::string_view value =
      absl::StripAsciiWhitespace(line.substr(colon + 1));
  uint64_t number = 0;
  if (name == "content-length") {
    if (absl::SimpleAtoi(value, &number)) transfer->content_length = number;
  } else if (name == "content-range") {
    ReadContentRange(value, &transfer->reply);
  } else if (name == "etag") {
    if (!absl::StartsWith(value, "W/")) {
      transfer->reply.entity_tag = std::string(value);
    }
  } else if (name == "x-goog-hash") {
    for (absl::string_view hash : absl::StrSplit(value, ',')) {
      hash = absl::StripAsciiWhitespace(hash);
      if (absl::ConsumePrefix(&hash, "md5=")) {
        transfer->reply.md5 = std::string(hash);
      }
    }
  } else if (name == "retry-after") {
    if (absl::SimpleAtoi(value, &number)) {
      transfer->reply.retry_after = std::chrono::seconds(number);
    }
  }
  return count;
}

size_t OnBody(char* bytes, size_t, size_t count, void* user) {
  auto* transfer = static_cast<Transfer*>(user);
  if (transfer->Stopped() || !transfer->Announce()) return 0;
  const int status = transfer->reply.status;
  if (status != 200 && status != 206) return count;
  transfer->status = (*transfer->on_data)(absl::string_view(bytes, count));
  return transfer->status.ok() ? count : 0;
}

int OnProgress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Transfer*>(user)->Stopped() ? 1 : 0;
}

absl::Status StatusOf(CURLcode code, const std::string& url,
                      const char* details) {
  const std::string text = absl::StrCat(
      url, ": ", details[0] != '\0' ? details : curl_easy_strerror(code));
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return absl::InvalidArgumentError(text);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_TOO_MANY_REDIRECTS:
      return absl::FailedPreconditionError(text);
    default:
      return absl::UnavailableError(text);
  }
}

class CurlClient : public HttpClient {
 public:
  CurlClient(CURL* handle, Options options)
      : handle_(handle), options_(std::move(options)) {}

  absl::StatusOr<HttpReply> Get(const HttpRequest& request,
                                const OnReply& on_reply,
                                const OnData& on_data) override {
    CURL* const handle = handle_.get();
    Transfer transfer;
    transfer.handle = handle;
    transfer.request = &request;
    transfer.on_reply = &on_reply;
    transfer.on_data = &on_data;
    transfer.interrupted = &options_.interrupted;
    char details[CURL_ERROR_SIZE] = "";
    curl_easy_reset(handle);  // keeps the connection
    curl_easy_setopt(handle, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(handle, CURLOPT_MAXREDIRS, kMaxRedirects);
    curl_easy_setopt(handle, CURLOPT_USERAGENT, "inkstream");
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
    curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME,
                     static_cast<long>(options_.stall.count()));
    curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, details);
    curl_easy_setopt(handle, CURLOPT_NOBODY, request.head ? 1L : 0L);
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, OnHeader);
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, &transfer);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, OnBody);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, OnProgress);
    curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &transfer);
    curl_slist* headers = nullptr;
    if (request.offset > 0) {
      headers = curl_slist_append(
          headers, absl::StrCat("Range: bytes=", request.offset, "-").c_str());
      if (!request.if_range.empty()) {
        headers = curl_slist_append(
            headers, absl::StrCat("If-Range: ", request.if_range).c_str());
      }
    }
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
    const CURLcode code = curl_easy_perform(handle);
    curl_slist_free_all(headers);
    if (!transfer.status.ok()) return transfer.status;
    if (code != CURLE_OK) return StatusOf(code, request.url, details);
    if (!transfer.Announce()) return transfer.status;
    return transfer.reply;
  }

 private:
  const std::unique_ptr<CURL, CloseHandle> handle_;
  const Options options_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<HttpClient>> HttpClient::Create(
    Options options) {
  static std::once_flag once;
  static CURLcode ready = CURLE_OK;
  std::call_once(once, [] { ready = curl_global_init(CURL_GLOBAL_DEFAULT); });
  CURL* const handle = ready == CURLE_OK ? curl_easy_init() : nullptr;
  if (handle == nullptr) return absl::InternalError("libcurl does not start");
  return std::make_unique<CurlClient>(handle, std::move(options));
}

std::string UrlEscaped(absl::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : text) {
    if (absl::ascii_isalnum(c) || absl::StrContains("-._~", c)) {
      escaped += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      escaped += {'%', kHex[byte >> 4U], kHex[byte & 15U]};
    }
  }
  return escaped;
}

}  // namespace inkstream::ingest
