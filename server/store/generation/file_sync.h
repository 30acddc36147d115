// Files that are complete or absent after a crash, and files that are read.
//
// Thread safety: functions on different paths are independent.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace inkstream::store {

// A descriptor to read from, which the caller closes. Never waits, as opening a
// FIFO does. NOT_FOUND if absent, DATA_LOSS if it is anything but a regular
// file.
absl::StatusOr<int> OpenRegularFile(const std::string& path);

// The whole of a regular file. NOT_FOUND if absent, RESOURCE_EXHAUSTED above
// `max_bytes`.
absl::StatusOr<std::string> ReadWholeFile(const std::string& path,
                                          uint64_t max_bytes);

// Writes `path`.tmp, syncs it, renames it to `path`, syncs the directory.
absl::Status ReplaceFile(const std::string& path, absl::string_view bytes);

// Copies a file byte for byte to one that is not there yet, and syncs it.
absl::Status CopyFile(const std::string& from, const std::string& to);

absl::Status SyncDirectory(const std::string& path);

// Renames a directory unless something has that name. ALREADY_EXISTS then.
absl::Status RenameNew(const std::string& from, const std::string& to);

std::string ParentDirectory(const std::string& path);

// What `path` stands for, without slashes at its end: links are followed, also
// to what is not there.
std::string ResolveLinks(const std::string& path);

}  // namespace inkstream::store
