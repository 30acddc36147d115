#include "server/app/interrupt.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

namespace inkstream::app {
namespace {

std::atomic<int> pending_signal{0};
std::atomic<bool> pending{false};
int wake_pipe[2] = {-1, -1};
int hangup_pipe[2] = {-1, -1};

void Wake(const int (&pipe)[2]) {
  const char byte = 1;
  [[maybe_unused]] const ssize_t written = write(pipe[1], &byte, 1);
}

extern "C" void OnSignal(int number) {
  if (pending_signal.exchange(number) != 0) {
    // The second one. The first process of a container survives its own
    // signals, so it leaves by the other door.
    ::signal(number, SIG_DFL);
    sigset_t own;
    sigemptyset(&own);
    sigaddset(&own, number);
    sigprocmask(SIG_UNBLOCK, &own, nullptr);
    raise(number);
    _exit(128 + number);
  }
  pending.store(true);
  Wake(wake_pipe);
}

extern "C" void OnHangup(int /*number*/) { Wake(hangup_pipe); }

void Open(int (&ends)[2]) {
  if (ends[0] >= 0) return;
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) ends[0] = -1;
}

sigset_t HandledSignals() {
  sigset_t handled;
  sigemptyset(&handled);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    sigaddset(&handled, number);
  }
  return handled;
}

void Handle(int number, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  sigaddset(&action.sa_mask, SIGINT);
  sigaddset(&action.sa_mask, SIGTERM);
  action.sa_flags = SA_RESTART;
  sigaction(number, &action, nullptr);
}

}  // namespace

void Interrupt::Install() {
  Open(wake_pipe);
  Handle(SIGINT, OnSignal);
  Handle(SIGTERM, OnSignal);
  // A limit on file sizes is then an error of write(), told like a full disk.
  ::signal(SIGXFSZ, SIG_IGN);
}

void Interrupt::InstallForService() {
  Install();
  Open(hangup_pipe);
  Handle(SIGHUP, OnHangup);
  ::signal(SIGUSR1, SIG_IGN);
  ::signal(SIGUSR2, SIG_IGN);
  const sigset_t handled = HandledSignals();
  pthread_sigmask(SIG_BLOCK, &handled, nullptr);
}

void Interrupt::HandleHere() {
  const sigset_t handled = HandledSignals();
  pthread_sigmask(SIG_UNBLOCK, &handled, nullptr);
}

const std::atomic<bool>* Interrupt::flag() { return &pending; }

int Interrupt::signal() { return pending_signal.load(); }

bool Interrupt::WaitFor(std::chrono::milliseconds timeout) {
  if (requested()) return true;
  // Left unread, the byte wakes every later call as well.
  pollfd wake = {wake_pipe[0], POLLIN, 0};
  poll(&wake, 1, static_cast<int>(timeout.count()));
  return requested();
}

bool Interrupt::WaitForEither(int other) {
  pollfd wake[] = {{wake_pipe[0], POLLIN, 0}, {other, POLLIN, 0}};
  while (!requested() && wake[1].revents == 0) poll(wake, 2, -1);
  return requested();
}

bool Interrupt::WaitForHangup() {
  while (!WaitForEither(hangup_pipe[0])) {
    char bytes[64];
    if (read(hangup_pipe[0], bytes, sizeof(bytes)) > 0) return true;
  }
  return false;
}

int Interrupt::exit_code() { return 128 + signal(); }

}  // namespace inkstream::app
