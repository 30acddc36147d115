// Layout of LMDB 0.9 (lmdb's mdb.c: MDB_page, MDB_node, MDB_meta, MDB_db).
// Page: number u64, pad u16, flags u16, lower u16, upper u16, then a u16 offset
// a node. Node: low u16, high u16, flags u16, key size u16, key, data.

#include "server/store/segment/lmdb_file.h"

#include "absl/strings/str_cat.h"
#include "server/store/segment/endian_io.h"

namespace inkstream::store {
namespace {

constexpr uint64_t kPageHeader = 16;
constexpr uint64_t kNodeHeader = 8;
constexpr uint16_t kBranch = 0x01;
constexpr uint16_t kLeaf = 0x02;
constexpr uint16_t kMeta = 0x08;
constexpr uint16_t kBigData = 0x01;
constexpr uint16_t kSubData = 0x02;
constexpr uint32_t kMagic = 0xBEEFC0DE;
constexpr uint32_t kVersion = 1;
constexpr uint64_t kNoPage = ~uint64_t{0};
constexpr int kMaxDepth = 32;

// Offsets in MDB_meta, which follows the page header.
constexpr uint64_t kMetaBytes = 136;
constexpr uint64_t kMetaPageSize = 24;  // pad of the free list's MDB_db
constexpr uint64_t kMetaMainDb = 72;
constexpr uint64_t kMetaLastPage = 120;
constexpr uint64_t kMetaTransaction = 128;
// Offsets in MDB_db.
constexpr uint64_t kDbBytes = 48;
constexpr uint64_t kDbDepth = 6;
constexpr uint64_t kDbRoot = 40;
constexpr uint64_t kLargestPage = 65536;

}  // namespace

absl::Status LmdbFile::Damaged(absl::string_view what) const {
  return absl::DataLossError(absl::StrCat(path(), ": ", what));
}

absl::StatusOr<std::unique_ptr<LmdbFile>> LmdbFile::Open(
    const std::string& path, uint64_t expected_bytes) {
  absl::StatusOr<std::unique_ptr<MappedFile>> mapped = MappedFile::Open(path);
  if (!mapped.ok()) return mapped.status();
  const uint64_t size = (*mapped)->bytes().size();
  if (size != expected_bytes) {
    return absl::DataLossError(
        absl::StrCat(path, ": expected ", expected_bytes,
                     " bytes as the MANIFEST says, found ", size,
                     size < expected_bytes ? " (truncated)" : ""));
  }
  if (size < 2 * (kPageHeader + kMetaBytes)) {
    return absl::DataLossError(
        absl::StrCat(path, ": too short for LMDB's two meta pages"));
  }
  std::unique_ptr<LmdbFile> file(new LmdbFile(*std::move(mapped)));
  if (absl::Status s = file->ReadMeta(); !s.ok()) return s;
  return file;
}

absl::Status LmdbFile::Populate(absl::string_view part) const {
  absl::Status populated = file_->Populate(part);
  if (populated.ok()) return populated;
  if (absl::Status s = file_->CheckIntact(); !s.ok()) return s;
  return Damaged(populated.message());
}

absl::Status LmdbFile::ReadMeta() {
  absl::Status populated = Populate(bytes().substr(0, 2 * kLargestPage));
  if (!populated.ok()) return populated;
  const auto meta_ok = [&](uint64_t at) {
    if (at + kPageHeader + kMetaBytes > size_) return false;
    const char* page = data_ + at;
    return (LoadLittle<uint16_t>(page + 10) & kMeta) != 0 &&
           LoadLittle<uint32_t>(page + kPageHeader) == kMagic &&
           LoadLittle<uint32_t>(page + kPageHeader + 4) == kVersion;
  };
  // The page size stands in both metas, so either can be found alone.
  if (meta_ok(0)) {
    page_bytes_ = LoadLittle<uint32_t>(data_ + kPageHeader + kMetaPageSize);
  } else {
    page_bytes_ = 4096;
    if (!meta_ok(page_bytes_)) {
      return Damaged("not an LMDB data file (no valid meta page)");
    }
  }
  if (page_bytes_ < 512 || page_bytes_ > kLargestPage ||
      (page_bytes_ & (page_bytes_ - 1)) != 0) {
    return Damaged(absl::StrCat("LMDB page size is ", page_bytes_,
                                ", expected a power of two in 512..65536"));
  }
  // The newer of the valid metas is in force.
  const char* meta = nullptr;
  uint64_t newest = 0;
  for (const uint64_t at : {uint64_t{0}, page_bytes_}) {
    if (!meta_ok(at)) continue;
    const char* candidate = data_ + at + kPageHeader;
    const uint64_t transaction =
        LoadLittle<uint64_t>(candidate + kMetaTransaction);
    if (meta == nullptr || transaction > newest) {
      meta = candidate;
      newest = transaction;
    }
  }
  pages_ = size_ / page_bytes_;
  const uint64_t last_page = LoadLittle<uint64_t>(meta + kMetaLastPage);
  if (last_page >= pages_) {
    return Damaged(absl::StrCat("LMDB's last page is ", last_page,
                                ", the file has ", pages_, " pages"));
  }
  main_.depth = LoadLittle<uint16_t>(meta + kMetaMainDb + kDbDepth);
  main_.root = LoadLittle<uint64_t>(meta + kMetaMainDb + kDbRoot);
  return absl::OkStatus();
}

absl::Status LmdbFile::WalkPage(uint64_t page, int levels_left,
                                uint64_t* pages_left, bool subtrees,
                                const Visitor& visit) const {
  if (page >= pages_ || page < 2) {
    return Damaged(absl::StrCat("page ", page, " is outside of the file's ",
                                pages_, " pages"));
  }
  // Each page belongs to one tree once; more visits mean a cycle.
  if (levels_left == 0 || *pages_left == 0) {
    return Damaged(absl::StrCat("page ", page, ": the tree is too deep"));
  }
  --*pages_left;
  const char* const base = data_ + page * page_bytes_;
  if (absl::Status s = Populate({base, page_bytes_}); !s.ok()) return s;
  const uint16_t flags = LoadLittle<uint16_t>(base + 10);
  const uint16_t lower = LoadLittle<uint16_t>(base + 12);
  const bool branch = flags == kBranch;
  if ((!branch && flags != kLeaf) || LoadLittle<uint64_t>(base) != page ||
      lower < kPageHeader || lower > page_bytes_ || lower % 2 != 0) {
    return Damaged(absl::StrCat("page ", page, " has no valid header"));
  }
  const int nodes = (lower - static_cast<int>(kPageHeader)) / 2;
  for (int n = 0; n < nodes; ++n) {
    const uint64_t at = LoadLittle<uint16_t>(base + kPageHeader + 2 * n);
    if (at < lower || at + kNodeHeader > page_bytes_) {
      return Damaged(
          absl::StrCat("page ", page, " node ", n, " is outside of its page"));
    }
    const char* const node = base + at;
    const uint64_t low = LoadLittle<uint16_t>(node);
    const uint64_t high = LoadLittle<uint16_t>(node + 2);
    const uint16_t node_flags = LoadLittle<uint16_t>(node + 4);
    const uint64_t key_size = LoadLittle<uint16_t>(node + 6);
    if (branch) {
      const uint64_t child =
          low | high << 16 | static_cast<uint64_t>(node_flags) << 32;
      absl::Status s =
          WalkPage(child, levels_left - 1, pages_left, subtrees, visit);
      if (!s.ok()) return s;
      continue;
    }
    const uint64_t data_at = at + kNodeHeader + key_size;
    uint64_t data_size = low | high << 16;
    const bool big = (node_flags & kBigData) != 0;
    if (data_at + (big ? 8 : data_size) > page_bytes_) {
      return Damaged(
          absl::StrCat("page ", page, " node ", n, " reaches beyond its page"));
    }
    const char* data = base + data_at;
    if (big) {
      const uint64_t first = LoadLittle<uint64_t>(data);
      if (first < 2 || first >= pages_ ||
          kPageHeader + data_size > (pages_ - first) * page_bytes_) {
        return Damaged(absl::StrCat("page ", page, " node ", n,
                                    " has its value outside of the file"));
      }
      data = data_ + first * page_bytes_ + kPageHeader;
    }
    if (((node_flags & kSubData) != 0) != subtrees) {
      return Damaged(absl::StrCat("page ", page, " node ", n,
                                  " is of an unexpected kind"));
    }
    absl::Status s = visit(absl::string_view(node + kNodeHeader, key_size),
                           absl::string_view(data, data_size));
    if (!s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::StatusOr<LmdbFile::Tree> LmdbFile::FindTree(
    absl::string_view database) const {
  Tree tree{kNoPage, 0};
  bool found = false;
  const auto visit = [&](absl::string_view key, absl::string_view value) {
    if (key == database) {
      if (value.size() != kDbBytes) return Damaged("a database's entry");
      tree.depth = LoadLittle<uint16_t>(value.data() + kDbDepth);
      tree.root = LoadLittle<uint64_t>(value.data() + kDbRoot);
      found = true;
    }
    return absl::OkStatus();
  };
  if (main_.root != kNoPage) {
    uint64_t pages_left = pages_;
    absl::Status s = WalkPage(main_.root, kMaxDepth, &pages_left, true, visit);
    if (!s.ok()) return s;
  }
  if (!found) {
    return Damaged(absl::StrCat("has no database '", database,
                                "': LMDB, but not a segment of a store"));
  }
  return tree;
}

absl::Status LmdbFile::Walk(absl::string_view database,
                            const Visitor& visit) const {
  absl::StatusOr<Tree> tree = FindTree(database);
  if (!tree.ok()) return tree.status();
  if (tree->root == kNoPage) return absl::OkStatus();
  uint64_t pages_left = pages_;
  return WalkPage(tree->root, kMaxDepth, &pages_left, false, visit);
}

}  // namespace inkstream::store
