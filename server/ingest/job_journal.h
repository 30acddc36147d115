// What an ingest has read that is not yet in a finished segment, on disk: so
// that after whatever ended it, the inputs are read on from there.
//
// Chunks are appended as they are taken, to files of some 64 MiB; a file goes
// when finished segments hold all of its drawings. Nothing is synced: a crash
// of the machine costs the chunks that had not reached the disk, which are then
// read again. Every entry has a checksum; reading stops at the first bad one.
//
// Thread safety: one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/ingest/journal_entry.h"

namespace inkstream::ingest {

class JobJournal {
 public:
  static constexpr uint64_t kFileBytes = uint64_t{64} << 20;

  // The journal in `directory`, empty where there is none.
  static absl::StatusOr<std::unique_ptr<JobJournal>> Open(
      const std::string& directory, uint64_t file_bytes = kFileBytes);
  ~JobJournal();
  JobJournal(const JobJournal&) = delete;
  JobJournal& operator=(const JobJournal&) = delete;

  // Gives back the entries that hold together, in order, but for the last,
  // whose place is where reading goes on: it is forgotten and answered; the
  // beginning where there is none. The first is a sum. Call once, before
  // Record.
  absl::StatusOr<InputPlace> Replay(
      const std::function<absl::Status(JournalEntry)>& take);

  // `sum`: what the report was in front of the entry, put at the beginning of a
  // new file.
  absl::Status Record(const JournalEntry& entry,
                      const std::function<JournalEntry()>& sum);

  // Drawings of the job that finished segments hold.
  absl::Status Forget(uint64_t durable);

 private:
  struct File {
    uint64_t number = 0;
    uint64_t kept_before = 0;  // drawings of the job in front of the file
  };
  JobJournal(std::string directory, uint64_t file_bytes)
      : directory_(std::move(directory)), file_bytes_(file_bytes) {}
  std::string PathOf(uint64_t number) const;
  absl::Status Write(const JournalEntry& entry);
  absl::Status Begin(const JournalEntry& sum);
  // Drops what stands at or behind an offset of a file.
  absl::Status CutBehind(uint64_t number, uint64_t offset);

  const std::string directory_;
  const uint64_t file_bytes_;
  std::deque<File> files_;
  int fd_ = -1;  // of the last file
  uint64_t bytes_ = 0;
  std::string buffer_;
};

}  // namespace inkstream::ingest
