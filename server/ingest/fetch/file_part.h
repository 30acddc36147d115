// The unfinished file that a download grows in.
//
// Thread safety: one thread. Ownership: holds the lock of the part while it
// lives.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace inkstream::ingest {

class FilePart {
 public:
  // Opens or makes PATH.part. FAILED_PRECONDITION: another process has it.
  static absl::StatusOr<std::unique_ptr<FilePart>> Open(
      const std::string& path);
  ~FilePart();
  FilePart(const FilePart&) = delete;
  FilePart& operator=(const FilePart&) = delete;

  uint64_t bytes() const { return bytes_; }
  // Of the entity whose first bytes these are; "": not known.
  const std::string& entity_tag() const { return entity_tag_; }

  // Empties it; what comes belongs to the entity with this tag.
  absl::Status Restart(const std::string& entity_tag);
  absl::Status Append(absl::string_view bytes);

  // MD5 of the content, base64. Reads it again.
  absl::StatusOr<std::string> Md5() const;

  // Syncs, and renames it to PATH.
  absl::Status Publish();

 private:
  FilePart(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

  const std::string path_;
  int fd_;
  uint64_t bytes_ = 0;
  std::string entity_tag_;
};

}  // namespace inkstream::ingest
