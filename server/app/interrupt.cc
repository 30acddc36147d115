#include "server/app/interrupt.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

namespace inkstream::app {
namespace {

std::atomic<int> pending_signal{0};
std::atomic<bool> pending{false};
int wake_pipe[2] = {-1, -1};

extern "C" void OnSignal(int number) {
  pending_signal.store(number);
  pending.store(true);
  // Only the first signal is ours, so that a second one always gets through.
  ::signal(SIGINT, SIG_DFL);
  ::signal(SIGTERM, SIG_DFL);
  const char byte = 1;
  [[maybe_unused]] const ssize_t written = write(wake_pipe[1], &byte, 1);
}

}  // namespace

void Interrupt::Install() {
  if (wake_pipe[0] < 0 && pipe(wake_pipe) != 0) wake_pipe[0] = -1;
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  sigemptyset(&action.sa_mask);
  sigaddset(&action.sa_mask, SIGINT);
  sigaddset(&action.sa_mask, SIGTERM);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // A limit on file sizes is then an error of write(), told like a full disk.
  ::signal(SIGXFSZ, SIG_IGN);
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

int Interrupt::exit_code() { return 128 + signal(); }

}  // namespace inkstream::app
