#include "server/transport/shm/descriptor_socket.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <list>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace inkstream::transport {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMaxWaiting = 64;  // connections
constexpr std::chrono::seconds kPatience(5);
constexpr int kBacklog = 128;

struct Connection {
  int socket = -1;
  Clock::time_point since;
  ShmToken token;
  size_t received = 0;
};

// One byte, with the descriptor where there is one.
void Answer(int socket, int descriptor) {
  char byte = descriptor >= 0 ? kGranted : kRefused;
  iovec bytes = {&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  if (descriptor >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
  }
  // A client that has gone asks again with a new stream.
  static_cast<void>(sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT));
}

class RunningSocket : public DescriptorSocket {
 public:
  RunningSocket(std::string path, int socket, int wake, Redeem redeem)
      : path_(std::move(path)),
        socket_(socket),
        wake_(wake),
        redeem_(std::move(redeem)),
        thread_([this] { Run(); }) {}

  ~RunningSocket() override {
    const uint64_t one = 1;
    while (write(wake_, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
    thread_.join();
    unlink(path_.c_str());
    for (const Connection& connection : waiting_) close(connection.socket);
    close(socket_);
    close(wake_);
  }

 private:
  void Run() {
    for (;;) {
      std::vector<pollfd> polled = {{wake_, POLLIN, 0}, {socket_, POLLIN, 0}};
      for (const Connection& connection : waiting_) {
        polled.push_back({connection.socket, POLLIN, 0});
      }
      const int timeout = waiting_.empty() ? -1 : 1000;
      if (poll(polled.data(), polled.size(), timeout) < 0 && errno != EINTR) {
        return;
      }
      if (polled[0].revents != 0) return;
      size_t at = 2;
      for (auto one = waiting_.begin(); one != waiting_.end(); ++at) {
        const bool done = polled[at].revents != 0
                              ? Serve(&*one)
                              : Clock::now() - one->since > kPatience;
        if (done) close(one->socket);
        one = done ? waiting_.erase(one) : std::next(one);
      }
      if (polled[1].revents != 0) Accept();
    }
  }

  void Accept() {
    const int accepted =
        accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (accepted < 0) {
      // Out of descriptors, perhaps: whoever waits longest makes room.
      if (errno != EMFILE && errno != ENFILE) return;
      if (waiting_.empty()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        return;
      }
    }
    if (waiting_.size() >= kMaxWaiting || accepted < 0) {
      close(waiting_.front().socket);
      waiting_.pop_front();
    }
    if (accepted >= 0) waiting_.push_back({accepted, Clock::now(), {}, 0});
  }

  // True: nothing more is to be done for it.
  bool Serve(Connection* connection) {
    const ssize_t got = recv(connection->socket,
                             connection->token.data() + connection->received,
                             kTokenBytes - connection->received, 0);
    if (got < 0) return errno != EAGAIN && errno != EINTR;
    connection->received += static_cast<size_t>(got);
    if (got > 0 && connection->received < kTokenBytes) return false;
    if (got == 0) return true;
    const int descriptor = redeem_(connection->token);
    Answer(connection->socket, descriptor);
    if (descriptor >= 0) close(descriptor);
    return true;
  }

  const std::string path_;
  const int socket_;
  const int wake_;
  const Redeem redeem_;
  std::list<Connection> waiting_;  // oldest first; of the thread
  std::thread thread_;             // last: it uses everything above
};

}  // namespace

absl::StatusOr<std::unique_ptr<DescriptorSocket>> DescriptorSocket::Listen(
    const std::string& path, const SocketAccess& access, Redeem redeem) {
  absl::StatusOr<int> socket = ListenOnSocketFile(path, access, kBacklog);
  if (!socket.ok()) return socket.status();
  const int wake = eventfd(0, EFD_CLOEXEC);
  if (wake < 0) {
    const absl::Status failed = absl::UnavailableError(
        absl::StrCat("cannot listen on ", path, ": ", std::strerror(errno)));
    close(*socket);
    return failed;
  }
  return std::make_unique<RunningSocket>(path, *socket, wake,
                                         std::move(redeem));
}

}  // namespace inkstream::transport
