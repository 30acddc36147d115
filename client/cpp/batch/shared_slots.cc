#include "client/cpp/batch/shared_slots.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/transport/huge_pages.h"
#include "server/transport/shm/slot_layout.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

namespace inkstream::client {
namespace {

using transport::SlotLayout;

constexpr int kPatienceSeconds = 5;
// Slots that a reader never keeps: one for the server to go on with, and those
// whose release waits to be told with others (StreamCall::kReleasesAtOnce).
constexpr uint32_t kNeverKept = StreamCall::kReleasesAtOnce;

// Closes on every way out.
class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return descriptor_; }

 private:
  const int descriptor_;
};

absl::Status Failed(const char* what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", std::strerror(errno)));
}

std::string PathOf(absl::string_view target) {
  absl::string_view path = target.substr(strlen("unix:"));
  // unix:///absolute is unix:/absolute.
  if (absl::StartsWith(path, "//")) path.remove_prefix(2);
  return absl::StrCat(path, transport::kSocketSuffix);
}

// -1: the server refused. The descriptor is the caller's to close.
absl::StatusOr<int> Receive(int socket) {
  char byte = 0;
  iovec bytes = {&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  const ssize_t got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  if (got < 0) return Failed("no answer from the descriptor socket");
  int descriptor = -1;
  const cmsghdr* const header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_level == SOL_SOCKET &&
      header->cmsg_type == SCM_RIGHTS &&
      header->cmsg_len == CMSG_LEN(sizeof(int))) {
    std::memcpy(&descriptor, CMSG_DATA(header), sizeof(int));
  }
  if (got == 0 || byte != transport::kGranted || descriptor < 0) {
    if (descriptor >= 0) close(descriptor);
    return absl::UnavailableError("the descriptor socket refused the token");
  }
  return descriptor;
}

absl::StatusOr<int> FetchDescriptor(const std::string& path,
                                    const std::string& token) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return absl::UnavailableError(
        absl::StrCat("the path ", path, " is too long for a socket"));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return Failed("socket");
  const timeval patience = {kPatienceSeconds, 0};
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience,
             sizeof(patience));
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience,
             sizeof(patience));
  if (connect(socket.get(), reinterpret_cast<sockaddr*>(&address),
              sizeof(address)) != 0) {
    return Failed(path.c_str());
  }
  if (send(socket.get(), token.data(), token.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(token.size())) {
    return Failed(path.c_str());
  }
  return Receive(socket.get());
}

}  // namespace

struct SharedSlots::Map {
  SlotLayout layout;
  const uint8_t* memory = nullptr;
  std::atomic<uint32_t> kept{0};  // slots with references

  ~Map() {
    if (memory != nullptr) {
      munmap(const_cast<uint8_t*>(memory), layout.bytes());
    }
  }
};

std::string SharedSlots::WhyNotAt(absl::string_view target) {
  return absl::StartsWith(target, "unix:")
             ? ""
             : absl::StrCat(target, " is not a Unix socket");
}

absl::StatusOr<std::unique_ptr<SharedSlots>> SharedSlots::Attach(
    absl::string_view target, const v1::StreamOpened& opened,
    const std::shared_ptr<StreamCall>& call) {
  auto map = std::make_shared<Map>();
  map->layout = {opened.shm_slot_bytes(), opened.shm_slots()};
  if (!map->layout.valid() || map->layout.slots <= kNeverKept ||
      opened.shm_token().size() != transport::kTokenBytes) {
    return absl::UnavailableError(absl::StrCat(
        "the server offers ", opened.shm_slots(), " slots of ",
        opened.shm_slot_bytes(), " bytes, which no stream can have"));
  }
  absl::StatusOr<int> fetched =
      FetchDescriptor(PathOf(target), opened.shm_token());
  if (!fetched.ok()) return fetched.status();
  const Descriptor descriptor(*fetched);
  // Before it is mapped: without the seals, a reader could be hit by SIGBUS.
  const int seals = fcntl(descriptor.get(), F_GET_SEALS);
  if (seals < 0 ||
      (seals & transport::kRequiredSeals) != transport::kRequiredSeals) {
    return absl::UnavailableError("the shared memory is not sealed");
  }
  struct stat info = {};
  if (fstat(descriptor.get(), &info) != 0 ||
      static_cast<uint64_t>(info.st_size) != map->layout.bytes()) {
    return absl::UnavailableError(
        "the shared memory is not of the size that was announced");
  }
  void* const memory = transport::MapForHugePages(
      descriptor.get(), map->layout.bytes(), PROT_READ);
  if (memory == MAP_FAILED) return Failed("mmap");
  map->memory = static_cast<const uint8_t*>(memory);
  return std::unique_ptr<SharedSlots>(new SharedSlots(std::move(map), call));
}

SharedSlots::SharedSlots(std::shared_ptr<Map> map,
                         std::weak_ptr<StreamCall> call)
    : map_(std::move(map)),
      call_(std::move(call)),
      touched_(map_->layout.slots) {}

absl::StatusOr<std::shared_ptr<const uint8_t>> SharedSlots::Lend(
    const v1::BatchHeader& header, BatchBuffers* copies) {
  const SlotLayout& layout = map_->layout;
  if (header.shm_slot() < 0 ||
      static_cast<uint32_t>(header.shm_slot()) >= layout.slots ||
      header.byte_size() > layout.slot_bytes || header.part_count() > 1) {
    return absl::InternalError(absl::StrCat(
        "the server broke the protocol: batch ", header.batch_seq(), " of ",
        header.byte_size(), " bytes in ", header.part_count(),
        " parts does not lie in slot ", header.shm_slot(), " of ",
        layout.slots));
  }
  const auto slot = static_cast<uint32_t>(header.shm_slot());
  const uint8_t* const bytes = map_->memory + layout.OffsetOf(slot);
  if (!touched_[slot]) {
    touched_[slot] = true;
    // Else every page is a fault of its own, on the reader's thread.
    madvise(const_cast<uint8_t*>(bytes), layout.slot_bytes, MADV_POPULATE_READ);
  }
  map_->kept.fetch_add(1);
  std::shared_ptr<const uint8_t> lent(
      bytes, [map = map_, call = call_,
              sequence = header.batch_seq()](const uint8_t*) {
        map->kept.fetch_sub(1);
        if (const auto alive = call.lock()) alive->Release(sequence);
      });
  if (map_->kept.load() <= layout.slots - kNeverKept) return lent;
  absl::StatusOr<std::shared_ptr<uint8_t>> copy =
      copies->Acquire(header.byte_size());
  if (!copy.ok()) return copy.status();
  std::memcpy(copy->get(), bytes, header.byte_size());
  return std::shared_ptr<const uint8_t>(*std::move(copy));
}

}  // namespace inkstream::client
