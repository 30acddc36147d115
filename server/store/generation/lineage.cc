#include "server/store/generation/lineage.h"

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "server/store/generation/manifest.h"

namespace inkstream::store {

absl::Status CheckContinues(const StoreInfo& earlier, const StoreReader& next) {
  const StoreInfo& info = next.info();
  if (info.name != earlier.name) {
    return absl::FailedPreconditionError(absl::StrCat(
        next.path(), " holds dataset '", info.name,
        "', which is not a later generation of '", earlier.name, "'"));
  }
  if (info.generation <= earlier.generation) {
    return absl::FailedPreconditionError(absl::StrCat(
        next.path(), " holds generation ", info.generation,
        " with other drawings, which does not come after generation ",
        earlier.generation));
  }
  const std::string name = ManifestNameOf(earlier.generation);
  const absl::StatusOr<Manifest> kept =
      ReadManifest(next.path(), nullptr, name);
  if (kept.ok() && kept->info.fingerprint == earlier.fingerprint) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      next.path(), " holds generation ", info.generation,
      ", which was not made by adding to generation ", earlier.generation, ": ",
      name,
      kept.ok() ? absl::StrCat(" has fingerprint ", kept->info.fingerprint,
                               ", expected ", earlier.fingerprint)
      : absl::IsNotFound(kept.status())
          ? " is not there"
          : absl::StrCat(" cannot be read: ", kept.status().message())));
}

}  // namespace inkstream::store
