// Our reader of LMDB files against liblmdb itself.

#include "server/store/segment/lmdb_file.h"

#include <lmdb.h>

#include <filesystem>
#include <map>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/store/format.h"
#include "tests/store/sample_drawings.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::store {
namespace {

using ::testing::HasSubstr;
using testing::ScratchDirectory;
using Entries = std::map<std::string, std::string>;

Entries ReadWithLiblmdb(const std::string& path, const char* database) {
  MDB_env* env = nullptr;
  MDB_txn* txn = nullptr;
  MDB_dbi dbi = 0;
  MDB_cursor* cursor = nullptr;
  mdb_env_create(&env);
  mdb_env_set_maxdbs(env, 8);
  EXPECT_EQ(mdb_env_open(env, path.c_str(),
                         MDB_NOSUBDIR | MDB_RDONLY | MDB_NOLOCK, 0),
            0);
  EXPECT_EQ(mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn), 0);
  EXPECT_EQ(mdb_dbi_open(txn, database, 0, &dbi), 0);
  EXPECT_EQ(mdb_cursor_open(txn, dbi, &cursor), 0);
  Entries entries;
  MDB_val key, value;
  while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
    entries[std::string(static_cast<char*>(key.mv_data), key.mv_size)] =
        std::string(static_cast<char*>(value.mv_data), value.mv_size);
  }
  mdb_cursor_close(cursor);
  mdb_txn_abort(txn);
  mdb_env_close(env);
  return entries;
}

TEST(LmdbFile, ReadsWhatLiblmdbReads) {
  const ScratchDirectory scratch;
  // Enough blocks for branch pages.
  MustWrite(scratch.File("a"), SampleDrawings(30000));
  const std::string path = scratch.File("a/segment-000000.mdb");
  auto file = LmdbFile::Open(path, std::filesystem::file_size(path));
  ASSERT_TRUE(file.ok()) << file.status();
  for (const char* database : {kStrokesDb, kColumnsDb, kTablesDb}) {
    Entries entries;
    const absl::Status status = (*file)->Walk(
        database, [&](absl::string_view key, absl::string_view value) {
          entries[std::string(key)] = std::string(value);
          return absl::OkStatus();
        });
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_TRUE(entries == ReadWithLiblmdb(path, database)) << database;
    EXPECT_FALSE(entries.empty());
  }
}

TEST(LmdbFile, AnotherLmdbFileIsNamedForWhatItIs) {
  const ScratchDirectory scratch;
  const std::string path = scratch.File("other.mdb");
  MDB_env* env = nullptr;
  mdb_env_create(&env);
  ASSERT_EQ(mdb_env_open(env, path.c_str(), MDB_NOSUBDIR | MDB_NOLOCK, 0644),
            0);
  MDB_txn* txn = nullptr;
  MDB_dbi dbi = 0;
  mdb_txn_begin(env, nullptr, 0, &txn);
  mdb_dbi_open(txn, nullptr, 0, &dbi);
  MDB_val key{3, const_cast<char*>("key")};
  MDB_val value{5, const_cast<char*>("value")};
  mdb_put(txn, dbi, &key, &value, 0);
  mdb_txn_commit(txn);
  mdb_env_close(env);
  auto file = LmdbFile::Open(path, std::filesystem::file_size(path));
  ASSERT_TRUE(file.ok()) << file.status();
  const absl::Status status =
      (*file)->Walk(kStrokesDb, [](auto, auto) { return absl::OkStatus(); });
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(status.message(), HasSubstr(path));
}

TEST(LmdbFile, WhatIsNotLmdbIsRefused) {
  const ScratchDirectory scratch;
  for (const std::string& bytes :
       {std::string(), std::string("short"), std::string(8192, '\0'),
        std::string(8192, '\xFF')}) {
    const std::string path = scratch.Write("x.mdb", bytes);
    const auto file = LmdbFile::Open(path, bytes.size());
    EXPECT_TRUE(absl::IsDataLoss(file.status())) << file.status();
  }
  EXPECT_TRUE(
      absl::IsNotFound(LmdbFile::Open(scratch.File("none"), 0).status()));
  EXPECT_TRUE(absl::IsDataLoss(LmdbFile::Open(scratch.path(), 4096).status()));
}

}  // namespace
}  // namespace inkstream::store
