#include "server/ingest/fetch/file_part.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/store/file_sync.h"

namespace inkstream::ingest {
namespace {

constexpr uint64_t kMaxTagBytes = 4096;
constexpr size_t kReadBytes = 1U << 20U;

absl::Status Failed(absl::string_view what, const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot ", what, " ", path));
}

std::string PartOf(const std::string& path) { return path + ".part"; }
std::string TagOf(const std::string& path) { return path + ".part.tag"; }

}  // namespace

absl::StatusOr<std::unique_ptr<FilePart>> FilePart::Open(
    const std::string& path) {
  const std::string part = PartOf(path);
  const int fd = open(part.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return Failed("write", part);
  std::unique_ptr<FilePart> opened(new FilePart(path, fd));
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(part,
                     " is being written by another process; wait for it "
                     "or fetch into another directory"));
  }
  struct stat facts = {};
  if (fstat(fd, &facts) != 0) return Failed("read", part);
  opened->bytes_ = static_cast<uint64_t>(facts.st_size);
  if (opened->bytes_ > 0) {
    absl::StatusOr<std::string> tag =
        store::ReadWholeFile(TagOf(path), kMaxTagBytes);
    if (tag.ok()) {
      opened->entity_tag_ = *std::move(tag);
    } else if (!absl::IsNotFound(tag.status())) {
      return tag.status();
    }
  }
  return opened;
}

FilePart::~FilePart() {
  if (fd_ < 0) return;
  if (bytes_ == 0) {
    unlink(PartOf(path_).c_str());
    unlink(TagOf(path_).c_str());
  }
  close(fd_);
}

absl::Status FilePart::Restart(const std::string& entity_tag) {
  if (ftruncate(fd_, 0) != 0) return Failed("empty", PartOf(path_));
  bytes_ = 0;
  // After the old bytes are gone, so that no tag ever stands beside bytes of
  // another entity.
  absl::Status status = store::ReplaceFile(TagOf(path_), entity_tag);
  if (status.ok()) entity_tag_ = entity_tag;
  return status;
}

absl::Status FilePart::Append(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote =
        pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(bytes_));
    if (wrote < 0) {
      if (errno == EINTR) continue;
      return Failed("write", PartOf(path_));
    }
    bytes_ += static_cast<uint64_t>(wrote);
    bytes.remove_prefix(static_cast<size_t>(wrote));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> FilePart::Md5() const {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(
      EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  if (context == nullptr ||
      EVP_DigestInit_ex(context.get(), EVP_md5(), nullptr) != 1) {
    return absl::InternalError("OpenSSL offers no MD5");
  }
  std::vector<char> buffer(kReadBytes);
  for (uint64_t at = 0; at < bytes_;) {
    const ssize_t got =
        pread(fd_, buffer.data(), buffer.size(), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Failed("read", PartOf(path_));
    EVP_DigestUpdate(context.get(), buffer.data(), static_cast<size_t>(got));
    at += static_cast<uint64_t>(got);
  }
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  EVP_DigestFinal_ex(context.get(), digest, &length);
  return absl::Base64Escape(
      absl::string_view(reinterpret_cast<const char*>(digest), length));
}

absl::Status FilePart::Publish() {
  if (fsync(fd_) != 0) return Failed("write", PartOf(path_));
  if (rename(PartOf(path_).c_str(), path_.c_str()) != 0) {
    return Failed("rename to", path_);
  }
  unlink(TagOf(path_).c_str());
  close(fd_);
  fd_ = -1;
  return store::SyncDirectory(store::ParentDirectory(path_));
}

}  // namespace inkstream::ingest
