#include "server/page/page_answer.h"

#include <openssl/sha.h>

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/base/json.h"
#include "server/base/status_reason.h"
#include "server/page/page_file.inc"

namespace inkstream::page {
namespace {

using ops::HttpAnswer;

constexpr char kNothing[] =
    "default-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";

HttpAnswer Guarded(unsigned int code, std::string type, std::string body,
                   std::string policy = kNothing) {
  return {code,
          std::move(type),
          std::move(body),
          {{"Content-Security-Policy", std::move(policy)},
           {"X-Content-Type-Options", "nosniff"},
           {"Referrer-Policy", "no-referrer"},
           {"Cross-Origin-Resource-Policy", "same-origin"},
           {"Cross-Origin-Opener-Policy", "same-origin"},
           {"Cache-Control", "no-store"}}};
}

// What the page has between <name> and </name>, as a policy names it.
std::string HashOf(absl::string_view page, absl::string_view name) {
  const std::string begin = absl::StrCat("<", name, ">");
  const size_t from = page.find(begin) + begin.size();
  const absl::string_view text =
      page.substr(from, page.find(absl::StrCat("</", name, ">")) - from);
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         digest);
  return absl::StrCat(
      "'sha256-",
      absl::Base64Escape(absl::string_view(
          reinterpret_cast<const char*>(digest), sizeof(digest))),
      "'");
}

unsigned int CodeOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kFailedPrecondition:
      return 400;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kCancelled:
      return 503;
    default:
      return 500;
  }
}

}  // namespace

HttpAnswer FileAnswer() {
  static const std::string* const policy = new std::string(absl::StrCat(
      kNothing, "; script-src ", HashOf(kPageFile, "script"), "; style-src ",
      HashOf(kPageFile, "style"), "; connect-src 'self'; img-src data:"));
  return Guarded(200, "text/html; charset=utf-8", kPageFile, *policy);
}

HttpAnswer JsonAnswer(std::string json) {
  return Guarded(200, "application/json", std::move(json));
}

HttpAnswer BytesAnswer(absl::string_view bytes) {
  return Guarded(200, "application/octet-stream", std::string(bytes));
}

HttpAnswer StatusAnswer(const absl::Status& status) {
  HttpAnswer answer =
      Guarded(CodeOf(status.code()), "application/json",
              JsonLine({{"code", absl::StatusCodeToString(status.code())},
                        {"reason", ReasonOf(status)},
                        {"message", std::string(status.message())}}));
  if (answer.code == 401) {
    answer.headers.emplace_back("WWW-Authenticate", "Bearer");
  }
  if (answer.code == 503) answer.headers.emplace_back("Retry-After", "1");
  return answer;
}

HttpAnswer NoSuchPage() {
  return Guarded(404, "text/plain; charset=utf-8",
                 "no such page; there are /, /metrics, /livez and /readyz\n");
}

}  // namespace inkstream::page
