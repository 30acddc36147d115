// Writes one segment file with liblmdb, in key order, in bounded memory.
//
// Thread safety: one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct MDB_env;
struct MDB_txn;

namespace inkstream::store {

// Of the library that was loaded, such as "0.9.24".
std::string LmdbVersion();

class LmdbWriter {
 public:
  // Creates the file. ALREADY_EXISTS if it is there.
  static absl::StatusOr<std::unique_ptr<LmdbWriter>> Create(
      const std::string& path);
  ~LmdbWriter();
  LmdbWriter(const LmdbWriter&) = delete;
  LmdbWriter& operator=(const LmdbWriter&) = delete;

  // REQUIRES: ascending keys within each database.
  absl::Status PutStrokes(uint32_t first, absl::string_view value);
  absl::Status PutColumns(uint32_t first, absl::string_view value);
  absl::Status PutTable(absl::string_view name, absl::string_view value);

  // Commits, syncs and closes. Returns the file's size in bytes.
  absl::StatusOr<uint64_t> Finish();

 private:
  explicit LmdbWriter(std::string path) : path_(std::move(path)) {}
  absl::Status Begin();
  absl::Status Commit();
  void StartWriting();
  absl::Status Put(unsigned database, absl::string_view key,
                   absl::string_view value);
  absl::Status Error(absl::string_view what, int code) const;

  std::string path_;
  MDB_env* env_ = nullptr;
  MDB_txn* txn_ = nullptr;
  unsigned strokes_ = 0;
  unsigned columns_ = 0;
  unsigned tables_ = 0;
  uint64_t uncommitted_bytes_ = 0;
};

}  // namespace inkstream::store
