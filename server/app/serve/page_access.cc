#include "server/app/serve/page_access.h"

#include <grpcpp/alarm.h>

#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/base/network_address.h"
#include "server/transport/security/failed_attempts.h"

namespace inkstream::app {
namespace {

constexpr unsigned int kUnauthenticated = 401;
// Of the requests that the page may hold (ops::HeldLimits), so that right
// tokens of the same host find room among them.
constexpr uint32_t kMostRefusalsWaiting = 16;

void AnswerAfter(std::chrono::milliseconds pause,
                 std::function<void()> answer) {
  // Lets go of itself, since it has what it is to call.
  const auto alarm =
      std::make_shared<std::unique_ptr<grpc::Alarm>>(new grpc::Alarm);
  (*alarm)->Set(std::chrono::system_clock::now() + pause,
                [alarm, answer = std::move(answer)](bool /*passed*/) {
                  answer();
                  alarm->reset();
                });
}

}  // namespace

std::string WhyNoPage(const std::string& http,
                      const transport::SecurityFiles& security) {
  if (security.asks_for_certificates() && !security.asks_for_tokens()) {
    return "callers prove themselves by certificates, which it does not ask "
           "for; with --tokens it is for whoever has one";
  }
  if (security.encrypts() || !security.asks_for_tokens()) return "";
  const absl::StatusOr<ListenAddress> address = ParseListenAddress(http);
  if (address.ok() && IsLoopbackHost(address->host)) return "";
  return "tokens would cross the network in plaintext; a certificate "
         "(--tls-cert, --tls-key) encrypts them";
}

page::Authorize AuthorizeBy(const transport::SecurityFiles* security) {
  if (!security->asks_for_tokens()) return nullptr;
  return
      [security](const std::string& authorization, const std::string& dataset) {
        absl::string_view token = authorization;
        if (!absl::ConsumePrefix(&token, "Bearer ")) {
          return absl::UnauthenticatedError(
              "what is served here is for holders of a token: give yours");
        }
        const std::shared_ptr<const transport::Access> access =
            security->tokens()->Find(token);
        if (access == nullptr) {
          return absl::UnauthenticatedError(
              "this is none of the tokens that this server knows");
        }
        if (dataset.empty() || access->MayRead(dataset))
          return absl::OkStatus();
        return absl::PermissionDeniedError(absl::StrCat(
            "dataset \"", dataset, "\" is not for ", access->caller));
      };
}

ops::HttpHandler SlowedDown(ops::HttpHandler page,
                            transport::CallObserver* observer) {
  auto failed =
      std::make_shared<transport::FailedAttempts>(kMostRefusalsWaiting);
  return [page = std::move(page), failed, observer](ops::HttpRequest request,
                                                    ops::HttpDone done) {
    const transport::Peer peer = {request.peer, request.caller};
    page(std::move(request), [failed, observer, peer,
                              done](ops::HttpAnswer answer) {
      if (answer.code != kUnauthenticated) return done(std::move(answer));
      observer->OnRefused(
          "page", peer, absl::UnauthenticatedError("no token, or a wrong one"));
      const std::chrono::milliseconds pause = failed->Failed(peer.caller);
      if (pause.count() == 0) return done(std::move(answer));
      AnswerAfter(pause, [failed, done, answer] {
        failed->Waited();
        done(answer);
      });
    });
  };
}

}  // namespace inkstream::app
