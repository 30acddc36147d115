// Accepts connections for whatever serves them, and goes on whatever happens:
//
//   accepted -> admitted (see ConnectionTable) -> silent -> handed over
//
// A connection is silent until it has sent what it takes to be served; those
// that take too long are closed here, and have cost no more than a descriptor.
// Out of descriptors, newcomers are taken with one that is kept for that, and
// closed; connections without a call make room. A listener that the kernel has
// ended is made anew.
//
// Thread safety: alive() from any thread, the rest from one. A thread of its
// own accepts and hands over.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/transport/listener/connection_table.h"
#include "server/transport/listener/listening_socket.h"

namespace inkstream::transport {

struct AcceptOptions {
  std::string what;  // is served; for the log
  // To send what it takes.
  std::chrono::milliseconds silence = std::chrono::seconds(10);
  // Of a connection that was handed over; zero: as long as it likes.
  std::chrono::milliseconds lifetime{0};
  // Whether these bytes, the first of a connection, are what it takes. None:
  // any are.
  std::function<bool(absl::string_view)> complete;
  // After this long without a sign of life the loop counts as dead.
  std::chrono::milliseconds patience = std::chrono::seconds(30);
};

class AcceptLoop {
 public:
  // Takes `fd` over. It says the connection's name to the table first, where
  // calls are to be counted.
  using HandOver = std::function<void(int fd, const Peer& peer)>;

  // Nobody is accepted before Begin(). `table` outlives the loop.
  static absl::StatusOr<std::unique_ptr<AcceptLoop>> Create(
      std::vector<ListeningSocket> listeners, AcceptOptions options,
      ConnectionTable* table, HandOver hand_over);

  ~AcceptLoop() { End(); }

  void Begin();
  // Listens no more. Connections that were handed over stay.
  void End();

  // Whether newcomers are accepted between Begin() and End(): every listener
  // listens, and the thread is not held up. True before and after.
  bool alive() const;

 private:
  using Clock = std::chrono::steady_clock;

  struct Silent {
    int fd;
    Peer peer;
    Clock::time_point until;
  };
  using SilentList = std::list<Silent>;

  AcceptLoop(std::vector<ListeningSocket> listeners, AcceptOptions options,
             ConnectionTable* table, HandOver hand_over);

  void Run();
  void Tick();
  void Accept(ListeningSocket* listener);
  // False: there is nobody to accept now.
  bool AcceptOne(ListeningSocket* listener);
  void TurnAwayOne(ListeningSocket* listener);
  void Reopen(ListeningSocket* listener);
  bool Watch(int fd, uint32_t events);
  // Hands over, closes or goes on waiting.
  void Look(SilentList::iterator silent);
  void Close(SilentList::iterator silent, bool was_silent);
  void Report();

  std::vector<ListeningSocket> listeners_;
  const AcceptOptions options_;
  ConnectionTable* const table_;
  const HandOver hand_over_;
  int epoll_ = -1;
  int wake_ = -1;
  int spare_ = -1;     // descriptor for the want of one
  SilentList silent_;  // oldest first
  std::unordered_map<int, SilentList::iterator> silent_by_fd_;
  Clock::time_point next_tick_;
  Clock::time_point next_report_;
  ConnectionCounts reported_;
  std::atomic<Clock::rep> last_sign_{0};
  std::atomic<int> broken_{0};  // listeners
  std::atomic<bool> running_{false};
  std::thread thread_;  // last: it uses everything above
};

}  // namespace inkstream::transport
