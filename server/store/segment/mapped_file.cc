// The handler may not allocate, lock or call what does. It finds the file of an
// address in a table of fixed size, notes the place, and maps a page of zeros
// over the one that cannot be read: mmap is a plain system call on Linux. An
// entry is free while its `begin` is null; entries are made and freed under a
// lock that the handler does not take.

#include "server/store/segment/mapped_file.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "server/store/generation/file_sync.h"

namespace inkstream::store {
namespace {

// Segments that are mapped at once; 3 · 10^10 drawings. Beyond, a fault ends
// the process.
constexpr size_t kMaxMaps = 4096;
const uintptr_t page_bytes = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));

uintptr_t PageOf(const char* at) {
  return reinterpret_cast<uintptr_t>(at) & ~(page_bytes - 1);
}

}  // namespace

class MapGuard {
 public:
  static void Add(const MappedFile* file) {
    const std::lock_guard<std::mutex> lock(mu_);
    for (Entry& entry : entries_) {
      if (entry.begin.load() != nullptr) continue;
      entry.lost.store(&file->lost_);
      entry.end.store(file->data_ + file->size_);
      entry.begin.store(file->data_);
      return;
    }
  }

  static void Remove(const MappedFile* file) {
    const std::lock_guard<std::mutex> lock(mu_);
    for (Entry& entry : entries_) {
      if (entry.begin.load() == file->data_) entry.begin.store(nullptr);
    }
  }

  static void OnBusError(int number, siginfo_t* info, void* /*context*/) {
    const int error = errno;
    const bool of_an_access = info->si_code > 0;
    if (of_an_access && PutZeros(static_cast<const char*>(info->si_addr))) {
      errno = error;
      return;
    }
    constexpr char kText[] =
        "inkstream: SIGBUS: memory that is of no file of a store\n";
    pollfd out = {STDERR_FILENO, POLLOUT, 0};
    if (poll(&out, 1, 0) == 1) {
      [[maybe_unused]] const ssize_t written =
          write(STDERR_FILENO, kText, sizeof(kText) - 1);
    }
    signal(number, SIG_DFL);
    raise(number);
  }

 private:
  struct Entry {
    std::atomic<const char*> begin;  // null: free
    std::atomic<const char*> end;
    std::atomic<std::atomic<uint64_t>*> lost;
  };
  static_assert(std::atomic<const char*>::is_always_lock_free &&
                std::atomic<uint64_t>::is_always_lock_free &&
                std::atomic<bool>::is_always_lock_free);

  static bool PutZeros(const char* at) {
    for (Entry& entry : entries_) {
      const char* const begin = entry.begin.load();
      if (begin == nullptr || at < begin || at >= entry.end.load()) continue;
      // Before the zeros can be read.
      entry.lost.load()->store(static_cast<uint64_t>(at - begin));
      MappedFile::any_lost_.store(true);
      return mmap(reinterpret_cast<void*>(PageOf(at)), page_bytes, PROT_READ,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
    }
    return false;
  }

  inline static std::array<Entry, kMaxMaps> entries_;
  inline static std::mutex mu_;  // of who adds and removes
};

void GuardMaps() {
  struct sigaction action = {};
  action.sa_sigaction = MapGuard::OnBusError;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, nullptr);
}

absl::StatusOr<std::unique_ptr<MappedFile>> MappedFile::Open(
    const std::string& path) {
  const absl::StatusOr<int> fd = OpenRegularFile(path);
  if (!fd.ok()) return fd.status();
  auto close_fd = absl::MakeCleanup([&fd] { close(*fd); });
  struct stat info;
  if (fstat(*fd, &info) != 0) return absl::ErrnoToStatus(errno, path);
  const uint64_t size = static_cast<uint64_t>(info.st_size);
  void* data = nullptr;
  if (size > 0) data = mmap(nullptr, size, PROT_READ, MAP_SHARED, *fd, 0);
  if (data == MAP_FAILED) return absl::ErrnoToStatus(errno, path);
  // Of one to read by, the end of the process would flush the file, for which
  // even SIGKILL waits where its file system hangs.
  const int only_names_it =
      open(absl::StrCat("/proc/self/fd/", *fd).c_str(), O_PATH | O_CLOEXEC);
  if (only_names_it < 0) std::move(close_fd).Cancel();
  std::unique_ptr<MappedFile> file(
      new MappedFile(path, only_names_it < 0 ? *fd : only_names_it,
                     static_cast<const char*>(data), size));
  if (size > 0) MapGuard::Add(file.get());
  return file;
}

MappedFile::~MappedFile() {
  if (size_ > 0) {
    MapGuard::Remove(this);
    munmap(const_cast<char*>(data_), size_);
  }
  close(fd_);
}

absl::Status MappedFile::CheckSize() const {
  struct stat info;
  if (fstat(fd_, &info) != 0) return absl::OkStatus();
  const uint64_t size = static_cast<uint64_t>(info.st_size);
  if (size == size_) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      path_, ": had ", size_, " bytes when it was opened, has ", size,
      " now; it was ", size < size_ ? "truncated" : "written to",
      " while it was in use"));
}

void MappedFile::Look() const {
  absl::Status changed = CheckSize();
  if (!changed.ok()) Lose(std::move(changed));
}

void MappedFile::Lose(absl::Status why) const {
  const std::lock_guard<std::mutex> lock(mu_);
  why_.Update(std::move(why));
  uint64_t intact = kIntact;
  lost_.compare_exchange_strong(intact, 0);
  any_lost_.store(true);
}

absl::Status MappedFile::Populate(absl::string_view part) const {
  const uintptr_t begin = PageOf(part.data());
  const uintptr_t bytes =
      reinterpret_cast<uintptr_t>(part.data()) + part.size() - begin;
  // Several pages are read at once, whatever the map is advised to.
  if (bytes > page_bytes) {
    madvise(reinterpret_cast<void*>(begin), bytes, MADV_WILLNEED);
  }
  if (madvise(reinterpret_cast<void*>(begin), bytes, MADV_POPULATE_READ) == 0) {
    return absl::OkStatus();
  }
  const int error = errno;
  Look();
  absl::Status intact = CheckIntact();
  if (!intact.ok() || (error != EFAULT && error != EHWPOISON)) return intact;
  return absl::DataLossError(absl::StrCat("the ", part.size(), " bytes at ",
                                          part.data() - data_,
                                          " cannot be read from the disk"));
}

absl::Status MappedFile::Loss() const {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (!why_.ok()) return why_;
  }
  absl::Status changed = CheckSize();
  if (!changed.ok()) return changed;
  return absl::DataLossError(
      absl::StrCat(path_, ": could not be read at byte ", lost_.load(),
                   ": it was truncated for a time, or its disk fails"));
}

}  // namespace inkstream::store
