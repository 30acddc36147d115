// Reads an LMDB 0.9 data file without liblmdb: a map, and one walk over its
// B+trees in which every number from the file is checked before it is used.
// liblmdb writes the file; on damaged pages it aborts the process or follows
// them out of the map, which a server cannot afford.
//
// Ownership: values borrow the map. Thread safety: const methods from any
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/store/segment/mapped_file.h"

namespace inkstream::store {

class LmdbFile {
 public:
  // Maps the file read-only and checks size, meta pages and root.
  // `expected_bytes`: what the MANIFEST says. NOT_FOUND: no file. DATA_LOSS:
  // not LMDB, truncated or damaged; the text names file, expected and found.
  static absl::StatusOr<std::unique_ptr<LmdbFile>> Open(
      const std::string& path, uint64_t expected_bytes);
  // Calls visit(key, value) for every entry of the named database in key
  // order, until it returns an error. Values lie inside the map, with at least
  // 16 readable bytes before them; Walk itself does not read them.
  using Visitor =
      std::function<absl::Status(absl::string_view, absl::string_view)>;
  absl::Status Walk(absl::string_view database, const Visitor& visit) const;

  // As MappedFile's, with the file's name in every error.
  absl::Status Populate(absl::string_view part) const;

  const MappedFile& file() const { return *file_; }
  const std::string& path() const { return file_->path(); }
  absl::string_view bytes() const { return {data_, size_}; }

 private:
  struct Tree {
    uint64_t root;
    uint16_t depth;
  };

  explicit LmdbFile(std::unique_ptr<MappedFile> file)
      : file_(std::move(file)),
        data_(file_->bytes().data()),
        size_(file_->bytes().size()) {}

  absl::Status ReadMeta();
  absl::Status WalkPage(uint64_t page, int levels_left, uint64_t* pages_left,
                        bool subtrees, const Visitor& visit) const;
  absl::StatusOr<Tree> FindTree(absl::string_view database) const;
  absl::Status Damaged(absl::string_view what) const;

  const std::unique_ptr<MappedFile> file_;
  const char* const data_;
  const uint64_t size_;
  uint64_t page_bytes_ = 0;
  uint64_t pages_ = 0;  // in the file
  Tree main_{};
};

}  // namespace inkstream::store
