// How a finished generation gets its name, and what an interrupted writer left
// for the next one.
//
// Thread safety: one thread, which holds the partial store's lock.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/store/generation/manifest.h"
#include "server/store/generation/staging_directory.h"
#include "server/store/store_writer.h"

namespace inkstream::store {

// Gives a finished generation its name. In a directory that is there, segments
// are moved into it, the old MANIFEST is kept as MANIFEST.NNNNNN, and the new
// one comes last; elsewhere the directory that it was built in is renamed.
absl::Status PublishGeneration(StagingDirectory* staging,
                               const Manifest& manifest);

// What is durable of the job. NOT_FOUND: nothing. FAILED_PRECONDITION: it is of
// another job, or of an append to another generation than `generation`.
absl::StatusOr<Manifest> ReadCheckpoint(const StagingDirectory& staging,
                                        const WriterOptions& options,
                                        uint64_t generation);

// Files in `directory` but for segments that the checkpoint does not name.
std::vector<std::string> FilesToKeep(const std::string& directory,
                                     const Manifest& checkpoint);

// INVALID_ARGUMENT: --split was given and differs from the store's.
absl::Status CheckSameSplits(const WriterOptions& options,
                             const std::vector<SplitInfo>& asked,
                             const StoreInfo& existing);

}  // namespace inkstream::store
