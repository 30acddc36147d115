#include "server/store/segment/lmdb_writer.h"

#include <fcntl.h>
#include <lmdb.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "server/store/format.h"

namespace inkstream::store {
namespace {

// Address space only. A segment holds about 9 GiB at the very most: see
// kSegmentPoints and kSegmentDrawings.
constexpr size_t kMapBytes = size_t{1} << 35;
// LMDB keeps the dirty pages of a transaction in memory.
constexpr uint64_t kCommitBytes = uint64_t{16} << 20;

absl::string_view KeyBytes(const uint32_t& key) {
  return absl::string_view(reinterpret_cast<const char*>(&key), sizeof(key));
}

}  // namespace

absl::Status LmdbWriter::Error(absl::string_view what, int code) const {
  const std::string text = absl::StrCat(path_, ": ", what);
  // LMDB's own: a number that the system does not know.
  if (code <= 0) {
    return absl::InternalError(absl::StrCat(text, ": ", mdb_strerror(code)));
  }
  struct statvfs disk = {};
  const bool told = statvfs(path_.c_str(), &disk) == 0;
  const uint64_t free = told ? disk.f_bavail * disk.f_frsize : UINT64_MAX;
  // LMDB calls a write that was cut short so.
  const bool full =
      code == ENOSPC || (code == EIO && free <= uncommitted_bytes_);
  if (!full) return absl::ErrnoToStatus(code, text);
  return absl::ErrnoToStatus(
      ENOSPC,
      absl::StrCat(path_, ": ", uncommitted_bytes_,
                   " bytes more were to be written, and ", free, " are free"));
}

std::string LmdbVersion() {
  int major = 0;
  int minor = 0;
  int patch = 0;
  mdb_version(&major, &minor, &patch);
  return absl::StrCat(major, ".", minor, ".", patch);
}

absl::StatusOr<std::unique_ptr<LmdbWriter>> LmdbWriter::Create(
    const std::string& path) {
  if (access(path.c_str(), F_OK) == 0) {
    return absl::AlreadyExistsError(absl::StrCat(path, " exists"));
  }
  std::unique_ptr<LmdbWriter> writer(new LmdbWriter(path));
  if (int rc = mdb_env_create(&writer->env_); rc != 0) {
    return writer->Error("mdb_env_create", rc);
  }
  mdb_env_set_maxdbs(writer->env_, 3);
  mdb_env_set_mapsize(writer->env_, kMapBytes);
  // No lock table: the store's LOCK keeps other writers out and nobody reads a
  // segment before it is finished. Pages are zeroed first (no MDB_NOMEMINIT),
  // so that the file holds nothing but what was put there.
  const int rc = mdb_env_open(
      writer->env_, path.c_str(),
      MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC | MDB_NORDAHEAD, 0644);
  if (rc != 0) return writer->Error("mdb_env_open", rc);
  if (absl::Status s = writer->Begin(); !s.ok()) return s;
  const auto open = [&](const char* name, unsigned flags, unsigned* database) {
    return mdb_dbi_open(writer->txn_, name, MDB_CREATE | flags, database);
  };
  for (const int code : {open(kStrokesDb, MDB_INTEGERKEY, &writer->strokes_),
                         open(kColumnsDb, MDB_INTEGERKEY, &writer->columns_),
                         open(kTablesDb, 0, &writer->tables_)}) {
    if (code != 0) return writer->Error("mdb_dbi_open", code);
  }
  return writer;
}

LmdbWriter::~LmdbWriter() {
  if (txn_ != nullptr) mdb_txn_abort(txn_);
  if (env_ != nullptr) mdb_env_close(env_);
}

absl::Status LmdbWriter::Begin() {
  const int rc = mdb_txn_begin(env_, nullptr, 0, &txn_);
  if (rc != 0) {
    txn_ = nullptr;
    return Error("mdb_txn_begin", rc);
  }
  return absl::OkStatus();
}

absl::Status LmdbWriter::Put(unsigned database, absl::string_view key,
                             absl::string_view value) {
  if (txn_ == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat(path_, ": no open transaction after an earlier error"));
  }
  MDB_val k{key.size(), const_cast<char*>(key.data())};
  MDB_val v{value.size(), const_cast<char*>(value.data())};
  const unsigned append = database == tables_ ? 0 : MDB_APPEND;
  if (int rc = mdb_put(txn_, database, &k, &v, append); rc != 0) {
    return Error("mdb_put", rc);
  }
  uncommitted_bytes_ += value.size();
  if (uncommitted_bytes_ < kCommitBytes) return absl::OkStatus();
  if (absl::Status s = Commit(); !s.ok()) return s;
  StartWriting();
  return Begin();
}

absl::Status LmdbWriter::Commit() {
  const int rc = mdb_txn_commit(txn_);
  txn_ = nullptr;
  if (rc != 0) return Error("mdb_txn_commit", rc);
  uncommitted_bytes_ = 0;
  return absl::OkStatus();
}

// The disk works while the rest is encoded, so that the sync at the end has
// little left to wait for. A hint: what fails here fails there again.
void LmdbWriter::StartWriting() {
  mdb_filehandle_t fd = -1;
  if (mdb_env_get_fd(env_, &fd) == 0) {
    sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
  }
}

absl::Status LmdbWriter::PutStrokes(uint32_t first, absl::string_view value) {
  return Put(strokes_, KeyBytes(first), value);
}

absl::Status LmdbWriter::PutColumns(uint32_t first, absl::string_view value) {
  return Put(columns_, KeyBytes(first), value);
}

absl::Status LmdbWriter::PutTable(absl::string_view name,
                                  absl::string_view value) {
  return Put(tables_, name, value);
}

absl::StatusOr<uint64_t> LmdbWriter::Finish() {
  if (txn_ == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat(path_, ": cannot finish after an earlier error"));
  }
  if (absl::Status s = Commit(); !s.ok()) return s;
  if (const int rc = mdb_env_sync(env_, 1); rc != 0) {
    return Error("mdb_env_sync", rc);
  }
  MDB_envinfo info;
  MDB_stat stat_of_env;
  mdb_env_info(env_, &info);
  mdb_env_stat(env_, &stat_of_env);
  mdb_env_close(env_);
  env_ = nullptr;
  // Pages that were taken and given back at the end are never written, so the
  // file may end before LMDB's last page.
  const uint64_t bytes =
      (uint64_t{info.me_last_pgno} + 1) * stat_of_env.ms_psize;
  const int fd = open(path_.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return absl::ErrnoToStatus(errno, path_);
  const bool sized =
      ftruncate(fd, static_cast<off_t>(bytes)) == 0 && fsync(fd) == 0;
  const int error = errno;
  close(fd);
  if (!sized) return absl::ErrnoToStatus(error, path_);
  return bytes;
}

}  // namespace inkstream::store
