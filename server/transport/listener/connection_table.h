// Every connection of a server: who it comes from, how many there may be, and
// which one makes room for another.
//
// A connection is entered when it is accepted. Until it is handed over it
// belongs to the accept loop, from then on to whatever serves it, which closes
// the descriptor without a word: Sweep() finds out. Descriptors are told apart
// by the inode of their socket, since a number may be another one's by then.
//
// Over a limit the connection that has been without a call for the longest time
// is shut down, of the peer that has most of them; where each has a call, the
// newcomer is refused. So one peer cannot keep out the others, and nobody who
// is being served is cut off.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace inkstream::transport {

// Who is at the other end.
struct Peer {
  std::string name;  // ipv4:10.0.0.7:4711 or unix:uid=1000,pid=17
  // Whose share it has: unix:uid=1000, or as CallerAt() says.
  std::string caller;
  bool is_unix = false;
};

// Of the socket `fd`, which is connected.
Peer PeerOfSocket(int fd);

struct ConnectionLimits {
  uint32_t all = 4096;
  uint32_t of_a_peer = 2048;
};

struct ConnectionCounts {
  uint32_t open = 0;
  uint32_t limit = 0;
  uint32_t of_a_peer = 0;  // of the one that has most
  uint32_t limit_of_a_peer = 0;
  uint64_t accepted = 0;   // since the start, as the rest
  uint64_t refused = 0;    // at a limit
  uint64_t starved = 0;    // refused for want of descriptors
  uint64_t displaced = 0;  // without a call, for a newcomer
  uint64_t silent = 0;     // that sent nothing in time
};

class ConnectionTable {
 public:
  struct Connection;

  explicit ConnectionTable(const ConnectionLimits& limits) : limits_(limits) {}

  // From now on; what is open over them stays.
  void SetLimits(const ConnectionLimits& limits);

  // Enters `fd`, making room for it. False: refused, and not entered.
  bool Admit(int fd, const Peer& peer);
  // What serves it now calls it `name`; see BeginCall().
  void HandOver(int fd, const std::string& name);
  // The accept loop closes it. `was_silent`: for that reason.
  void Remove(int fd, bool was_silent);

  // For want of descriptors: a newcomer was refused, and a connection shut down
  // as at the limit.
  void MakeRoom();
  // Forgets connections that are closed. Shuts down those that were handed over
  // more than `lifetime` ago; zero: none.
  void Sweep(std::chrono::milliseconds lifetime);

  // A call over the connection `name` begins, and ends: until then it is not
  // displaced. Null, which may be ended as well: no connection of that name.
  std::shared_ptr<Connection> BeginCall(const std::string& name);
  void EndCall(const std::shared_ptr<Connection>& connection);
  // Unknown: all of those are one caller, since whoever comes and goes would
  // make up names.
  Peer PeerOf(const std::string& name) const;

  ConnectionCounts counts() const;

 private:
  using Clock = std::chrono::steady_clock;

  struct Caller {
    uint32_t connections = 0;
    std::list<std::shared_ptr<Connection>> idle;  // for the longest time first
  };

  bool IsFull(const std::string& caller) const;  // with mu_ held, as all below
  void ForgetClosed();
  void Forget(const std::shared_ptr<Connection>& connection);
  bool DisplaceOneOf(Caller* caller);
  Caller* BusiestWithIdle();

  mutable std::mutex mu_;  // guards everything below
  ConnectionLimits limits_;
  std::unordered_map<int, std::shared_ptr<Connection>> connections_;  // by fd
  std::unordered_map<std::string, std::shared_ptr<Connection>> names_;
  std::unordered_map<std::string, Caller> callers_;  // with a connection
  Clock::time_point looked_for_closed_;
  ConnectionCounts counts_;
};

}  // namespace inkstream::transport
