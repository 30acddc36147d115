#include "server/app/serve/page_access.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/transport/network_address.h"

namespace inkstream::app {

bool OffersPage(const std::string& http,
                const transport::SecurityFiles& security) {
  if (!security.encrypts() && !security.asks_for_tokens()) return true;
  if (security.asks_for_certificates() && !security.asks_for_tokens()) {
    return false;
  }
  const absl::StatusOr<transport::ListenAddress> address =
      transport::ParseListenAddress(http);
  return address.ok() && transport::IsLoopbackHost(address->host);
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

}  // namespace inkstream::app
