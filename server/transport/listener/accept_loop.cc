#include "server/transport/listener/accept_loop.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace inkstream::transport {
namespace {

constexpr std::chrono::seconds kTick(1);
constexpr std::chrono::seconds kBetweenReports(10);
// What one listener may accept before the others have their turn.
constexpr int kAtOnce = 64;
// Of a request that comes in pieces, what is looked at; longer ones are handed
// over as they are.
constexpr size_t kMostLookedAt = 8192;
// What a client on the same host lets come at once; the kernel takes twice as
// much with what it adds. Without it a batch of 4 MiB is written in 35 pieces
// with a change of threads for each. Pages cleared for each batch, GB/s and
// CPU of the server in s/GB, one run: 1.99 (0.44) with 208 KiB, 2.14 (0.40)
// with 1 MiB, 2.17 (0.39) with 2.
constexpr int kUnixSendBuffer = 1 << 20;

int OpenSpare() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

// Where the machine allows less, it is only slower.
void WidenUnix(int fd) {
  int has = 0;
  socklen_t size = sizeof(has);
  if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &has, &size) == 0 &&
      has < kUnixSendBuffer) {
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kUnixSendBuffer,
               sizeof(kUnixSendBuffer));
  }
}

bool IsWantOfDescriptors(int why) { return why == EMFILE || why == ENFILE; }

// Errors of the listener itself; others are those of one connection, or pass.
bool IsOfTheListener(int why) {
  return why == EBADF || why == EINVAL || why == ENOTSOCK || why == EOPNOTSUPP;
}

}  // namespace

absl::StatusOr<std::unique_ptr<AcceptLoop>> AcceptLoop::Create(
    std::vector<ListeningSocket> listeners, AcceptOptions options,
    ConnectionTable* table, HandOver hand_over) {
  std::unique_ptr<AcceptLoop> loop(new AcceptLoop(
      std::move(listeners), std::move(options), table, std::move(hand_over)));
  loop->epoll_ = epoll_create1(EPOLL_CLOEXEC);
  loop->wake_ = eventfd(0, EFD_CLOEXEC);
  loop->spare_ = OpenSpare();
  bool ready = loop->epoll_ >= 0 && loop->wake_ >= 0 && loop->spare_ >= 0 &&
               loop->Watch(loop->wake_, EPOLLIN);
  for (const ListeningSocket& listener : loop->listeners_) {
    ready = ready && loop->Watch(listener.fd(), EPOLLIN);
  }
  if (!ready) {
    return absl::UnavailableError(
        absl::StrCat("cannot wait for connections: ", std::strerror(errno)));
  }
  return loop;
}

AcceptLoop::AcceptLoop(std::vector<ListeningSocket> listeners,
                       AcceptOptions options, ConnectionTable* table,
                       HandOver hand_over)
    : listeners_(std::move(listeners)),
      options_(std::move(options)),
      table_(table),
      hand_over_(std::move(hand_over)),
      next_tick_(Clock::now() + kTick) {}

void AcceptLoop::Begin() {
  last_sign_ = Clock::now().time_since_epoch().count();
  running_ = true;
  thread_ = std::thread([this] { Run(); });
}

void AcceptLoop::End() {
  running_ = false;
  if (thread_.joinable()) {
    const uint64_t one = 1;
    while (write(wake_, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
    thread_.join();
  }
  listeners_.clear();
  while (!silent_.empty()) Close(silent_.begin(), /*was_silent=*/false);
  for (int* const fd : {&epoll_, &wake_, &spare_}) {
    if (*fd >= 0) close(std::exchange(*fd, -1));
  }
}

bool AcceptLoop::alive() const {
  const Clock::time_point sign{Clock::duration(last_sign_.load())};
  return !running_ || (broken_ == 0 && Clock::now() - sign < options_.patience);
}

bool AcceptLoop::Watch(int fd, uint32_t events) {
  epoll_event event = {};
  event.events = events;
  event.data.fd = fd;
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0;
}

void AcceptLoop::Run() {
  const int tick_ms = std::chrono::milliseconds(kTick).count();
  for (;;) {
    last_sign_ = Clock::now().time_since_epoch().count();
    epoll_event events[kAtOnce];
    const int happened = epoll_wait(epoll_, events, kAtOnce, tick_ms);
    for (int i = 0; i < happened; ++i) {
      const int fd = events[i].data.fd;
      if (fd == wake_) return;
      const auto silent = silent_by_fd_.find(fd);
      if (silent != silent_by_fd_.end()) {
        Look(silent->second);
        continue;
      }
      for (ListeningSocket& listener : listeners_) {
        if (listener.fd() != fd) continue;
        const bool ended = (events[i].events & (EPOLLHUP | EPOLLERR)) != 0;
        ended ? Reopen(&listener) : Accept(&listener);
        break;
      }
    }
    if (Clock::now() >= next_tick_) Tick();
  }
}

void AcceptLoop::Tick() {
  const Clock::time_point now = Clock::now();
  next_tick_ = now + kTick;
  while (!silent_.empty() && silent_.front().until <= now) {
    Close(silent_.begin(), /*was_silent=*/true);
  }
  table_->Sweep(options_.lifetime);
  for (ListeningSocket& listener : listeners_) {
    if (listener.fd() < 0) Reopen(&listener);
  }
  if (spare_ < 0) spare_ = OpenSpare();
  if (now >= next_report_) Report();
}

void AcceptLoop::Accept(ListeningSocket* listener) {
  for (int i = 0; i < kAtOnce; ++i) {
    if (!AcceptOne(listener)) return;
  }
}

bool AcceptLoop::AcceptOne(ListeningSocket* listener) {
  const int fd =
      accept4(listener->fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) {
    if (IsWantOfDescriptors(errno)) TurnAwayOne(listener);
    if (IsOfTheListener(errno)) Reopen(listener);
    return errno == EINTR || errno == ECONNABORTED;
  }
  const Peer peer = PeerOfSocket(fd);
  if (!table_->Admit(fd, peer)) {
    close(fd);
    return true;
  }
  if (peer.is_unix) WidenUnix(fd);
  silent_.push_back({fd, peer, Clock::now() + options_.silence});
  const auto silent = std::prev(silent_.end());
  silent_by_fd_[fd] = silent;
  if (!Watch(fd, EPOLLIN | EPOLLRDHUP | EPOLLET)) {
    Close(silent, /*was_silent=*/false);
    return true;
  }
  Look(silent);
  return true;
}

// A newcomer that is not accepted would be waited for in vain, by itself and
// by this loop, which would find it again and again.
void AcceptLoop::TurnAwayOne(ListeningSocket* listener) {
  table_->MakeRoom();
  if (spare_ >= 0) {
    close(spare_);
    const int fd = accept4(listener->fd(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) close(fd);
  } else {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  spare_ = OpenSpare();
  errno = EMFILE;
}

void AcceptLoop::Reopen(ListeningSocket* listener) {
  const bool was_broken = listener->fd() < 0;
  const std::string name = listener->name();
  absl::Status status = listener->Reopen();
  if (status.ok() && !Watch(listener->fd(), EPOLLIN)) {
    status = absl::UnavailableError(std::strerror(errno));
    listener->Close();
  }
  if (status.ok() == was_broken) broken_ += was_broken ? -1 : 1;
  if (status.ok()) {
    spdlog::warn("the listener on {} had ended and listens again", name);
  } else if (!was_broken) {
    spdlog::error("the listener on {} has ended, and is tried every second: {}",
                  name, std::string(status.message()));
  }
}

void AcceptLoop::Look(SilentList::iterator silent) {
  char sent[kMostLookedAt];
  const size_t wanted = options_.complete == nullptr ? 1 : sizeof(sent);
  const ssize_t got = recv(silent->fd, sent, wanted, MSG_PEEK | MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return Close(silent, /*was_silent=*/false);
  const absl::string_view bytes(sent, static_cast<size_t>(got));
  if (bytes.size() < wanted && !options_.complete(bytes)) return;
  const Silent ready = std::move(*silent);
  silent_by_fd_.erase(ready.fd);
  silent_.erase(silent);
  epoll_ctl(epoll_, EPOLL_CTL_DEL, ready.fd, nullptr);
  hand_over_(ready.fd, ready.peer);
}

void AcceptLoop::Close(SilentList::iterator silent, bool was_silent) {
  const int fd = silent->fd;
  silent_by_fd_.erase(fd);
  silent_.erase(silent);
  table_->Remove(fd, was_silent);
  close(fd);
}

// What happens to connections by the thousand makes a line every ten seconds.
void AcceptLoop::Report() {
  const ConnectionCounts now = table_->counts();
  const uint64_t refused = now.refused - reported_.refused;
  const uint64_t starved = now.starved - reported_.starved;
  const uint64_t displaced = now.displaced - reported_.displaced;
  const uint64_t silent = now.silent - reported_.silent;
  if (refused + starved + displaced + silent == 0) return;
  spdlog::warn(
      "{} connections: {} refused, {} more for want of descriptors, {} without "
      "a call closed for newcomers, {} "
      "closed that sent nothing; {} of at most {} are open",
      options_.what, refused, starved, displaced, silent, now.open, now.limit);
  reported_ = now;
  next_report_ = Clock::now() + kBetweenReports;
}

}  // namespace inkstream::transport
