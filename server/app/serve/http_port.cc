#include "server/app/serve/http_port.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/app/serve/page_access.h"
#include "server/page/page.h"

namespace inkstream::app {
namespace {

ops::HttpOptions AccessOf(const ServeOptions& options,
                          const transport::SecurityFiles* security) {
  ops::HttpOptions access;
  access.network = options.grpc.insecure_network;
  if (security->encrypts()) {
    access.certificates = [security] { return security->certificates(); };
  }
  return access;
}

}  // namespace

absl::Status CheckHttp(const ServeOptions& options,
                       const transport::SecurityFiles* security) {
  if (options.http.empty()) return absl::OkStatus();
  return ops::HttpServer::CheckAddress(options.http,
                                       AccessOf(options, security));
}

absl::StatusOr<std::unique_ptr<ops::HttpServer>> StartHttp(
    const ServeOptions& options, const MemoryShares& shares,
    batch::Engine* engine, const transport::SecurityFiles* security,
    ServiceState* state, transport::CallObserver* observer,
    std::string* address) {
  if (options.http.empty()) return nullptr;
  ops::HttpPages pages = {
      .metrics = [state] { return state->Metrics(); },
      .alive = [state] { return state->Alive(); },
      .ready = [state] { return state->Checks(); },
      .page_bytes = shares.page,
      .answered = [state](unsigned int code) { state->PageAnswered(code); }};
  const std::string why_not = WhyNoPage(options.http, *security);
  if (why_not.empty()) {
    auto page = page::Page::Create(
        {engine, options.grpc.version, shares.all}, shares.page,
        [state](v1::GetStatusResponse* response) {
          return state->GetStatus(response);
        },
        AuthorizeBy(security));
    pages.page = SlowedDown(
        [page = std::move(page)](ops::HttpRequest request, ops::HttpDone done) {
          page->Answer(std::move(request), std::move(done));
        },
        observer);
  } else {
    spdlog::info("no page at --http: {}", why_not);
  }
  absl::StatusOr<std::unique_ptr<ops::HttpServer>> http =
      ops::HttpServer::Start(options.http, AccessOf(options, security),
                             std::move(pages));
  if (http.ok()) {
    const std::string host = options.http.substr(0, options.http.rfind(':'));
    *address = absl::StrCat(host, ":", (*http)->port());
  }
  return http;
}

}  // namespace inkstream::app
