#include "server/ingest/job_journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/store/checksum.h"
#include "server/store/endian_io.h"
#include "server/store/file_sync.h"

namespace inkstream::ingest {
namespace {

constexpr char kPrefix[] = "journal-";
// u32 length and u64 checksum in front of an entry.
constexpr size_t kHead = 12;
// Far above the largest chunk that a parser makes.
constexpr uint64_t kMaxFileBytes = uint64_t{1} << 30;

struct ReadEntry {
  JournalEntry entry;
  uint64_t file = 0;    // its number
  uint64_t offset = 0;  // in the file
};

// Reads what holds together; `whole`: the file ends with it.
absl::Status ReadEntries(const std::string& path, uint64_t number, bool* whole,
                         const std::function<absl::Status(ReadEntry)>& take) {
  absl::StatusOr<std::string> bytes = store::ReadWholeFile(path, kMaxFileBytes);
  if (!bytes.ok()) return bytes.status();
  absl::string_view rest = *bytes;
  while (rest.size() >= kHead) {
    const uint64_t length = store::LoadLittle<uint32_t>(rest.data());
    const uint64_t checksum = store::LoadLittle<uint64_t>(rest.data() + 4);
    if (length > rest.size() - kHead) break;
    const absl::string_view payload = rest.substr(kHead, length);
    ReadEntry read;
    read.file = number;
    read.offset = bytes->size() - rest.size();
    if (store::Checksum(payload) != checksum ||
        !ParseEntry(payload, &read.entry).ok()) {
      break;
    }
    if (absl::Status s = take(std::move(read)); !s.ok()) return s;
    rest.remove_prefix(kHead + length);
  }
  *whole = rest.empty();
  return absl::OkStatus();
}

}  // namespace

std::string JobJournal::PathOf(uint64_t number) const {
  return absl::StrFormat("%s/%s%06d", directory_, kPrefix, number);
}

absl::StatusOr<std::unique_ptr<JobJournal>> JobJournal::Open(
    const std::string& directory, uint64_t file_bytes) {
  std::unique_ptr<JobJournal> journal(new JobJournal(directory, file_bytes));
  std::error_code error;
  std::vector<uint64_t> numbers;
  for (const auto& entry :
       std::filesystem::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    uint64_t number = 0;
    if (absl::StartsWith(name, kPrefix) &&
        absl::SimpleAtoi(name.substr(sizeof(kPrefix) - 1), &number)) {
      numbers.push_back(number);
    }
  }
  if (error) return absl::ErrnoToStatus(error.value(), directory);
  std::sort(numbers.begin(), numbers.end());
  for (const uint64_t number : numbers) journal->files_.push_back({number, 0});
  return journal;
}

JobJournal::~JobJournal() {
  if (fd_ >= 0) close(fd_);
}

absl::StatusOr<InputPlace> JobJournal::Replay(
    const std::function<absl::Status(JournalEntry)>& take) {
  if (files_.empty()) return InputPlace();
  const uint64_t first_file = files_.front().number;
  ReadEntry held;
  bool has = false;
  const auto give = [&]() -> absl::Status {
    // Later sums say what the entries in front of them have said.
    if (!has || (held.entry.sum && held.file != first_file)) {
      return absl::OkStatus();
    }
    return take(std::move(held.entry));
  };
  for (File& file : files_) {
    bool seen = false;
    bool whole = false;
    absl::Status status = ReadEntries(
        PathOf(file.number), file.number, &whole, [&](ReadEntry next) {
          if (!std::exchange(seen, true)) {
            file.kept_before = next.entry.kept_before;
          }
          absl::Status given = give();
          held = std::move(next);
          has = true;
          return given;
        });
    if (!status.ok()) return status;
    // What stands behind a gap is of no use.
    if (!whole || !seen) break;
  }
  InputPlace place;
  if (has) {
    place = held.entry.place;
    if (held.entry.sum) {
      if (absl::Status status = give(); !status.ok()) return status;
    }
  }
  absl::Status cut =
      CutBehind(has ? held.file : first_file, has ? held.offset : 0);
  if (!cut.ok()) return cut;
  return place;
}

absl::Status JobJournal::CutBehind(uint64_t number, uint64_t offset) {
  while (!files_.empty() && files_.back().number >= number) {
    const std::string path = PathOf(files_.back().number);
    if (files_.back().number == number && offset > 0) {
      if (truncate(path.c_str(), static_cast<off_t>(offset)) == 0) break;
      return absl::ErrnoToStatus(errno, path);
    }
    if (unlink(path.c_str()) != 0 && errno != ENOENT) {
      return absl::ErrnoToStatus(errno, path);
    }
    files_.pop_back();
  }
  return absl::OkStatus();
}

absl::Status JobJournal::Begin(const JournalEntry& sum) {
  if (fd_ >= 0) close(fd_);
  const uint64_t number = files_.empty() ? 0 : files_.back().number + 1;
  const std::string path = PathOf(number);
  fd_ = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd_ < 0) return absl::ErrnoToStatus(errno, path);
  bytes_ = 0;
  files_.push_back({number, sum.kept_before});
  return Write(sum);
}

absl::Status JobJournal::Write(const JournalEntry& entry) {
  buffer_.assign(kHead, '\0');
  AppendEntry(entry, &buffer_);
  std::string head;
  store::AppendLittle<uint32_t>(static_cast<uint32_t>(buffer_.size() - kHead),
                                &head);
  store::AppendLittle<uint64_t>(
      store::Checksum(absl::string_view(buffer_).substr(kHead)), &head);
  buffer_.replace(0, kHead, head);
  absl::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t written = write(fd_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      return absl::ErrnoToStatus(errno, PathOf(files_.back().number));
    }
    rest.remove_prefix(static_cast<size_t>(written));
  }
  bytes_ += buffer_.size();
  return absl::OkStatus();
}

absl::Status JobJournal::Record(const JournalEntry& entry,
                                const std::function<JournalEntry()>& sum) {
  if (fd_ < 0 || bytes_ >= file_bytes_) {
    if (absl::Status s = Begin(sum()); !s.ok()) return s;
  }
  return Write(entry);
}

absl::Status JobJournal::Forget(uint64_t durable) {
  // The file behind must begin where segments end, or before.
  while (files_.size() > 1 && files_[1].kept_before <= durable) {
    const std::string path = PathOf(files_.front().number);
    if (unlink(path.c_str()) != 0 && errno != ENOENT) {
      return absl::ErrnoToStatus(errno, path);
    }
    files_.pop_front();
  }
  return absl::OkStatus();
}

}  // namespace inkstream::ingest
