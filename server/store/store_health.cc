#include "server/store/store_health.h"

#include "server/store/generation/open_store.h"

namespace inkstream::store {
namespace {

// Null: a store without files.
const OpenStore* FilesOf(const StoreReader& store) {
  return dynamic_cast<const OpenStore*>(&store);
}

}  // namespace

absl::Status CheckIntact(const StoreReader& store) {
  const OpenStore* const files = FilesOf(store);
  return files == nullptr ? absl::OkStatus() : files->CheckIntact();
}

void LookAtFiles(const StoreReader& store) {
  if (const OpenStore* const files = FilesOf(store)) files->Look();
}

uint64_t PartsOf(const StoreReader& store) {
  const OpenStore* const files = FilesOf(store);
  return files == nullptr ? 0 : files->parts();
}

absl::StatusOr<uint64_t> ScrubPart(const StoreReader& store, uint64_t part) {
  return FilesOf(store)->Scrub(part);
}

}  // namespace inkstream::store
