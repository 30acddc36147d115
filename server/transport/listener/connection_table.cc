#include "server/transport/listener/connection_table.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/base/network_address.h"

namespace inkstream::transport {
namespace {

// At the limit every newcomer would look at every connection.
constexpr std::chrono::milliseconds kBetweenLooks{100};

// The caller of whoever was not looked at in time.
constexpr char kGone[] = "gone";

// 0: `fd` is closed, or not a socket.
ino_t InodeOf(int fd) {
  struct stat info = {};
  return fstat(fd, &info) == 0 && S_ISSOCK(info.st_mode) ? info.st_ino : 0;
}

// Whoever owns `fd` sees its end and closes it. A descriptor of our own, so
// that the socket cannot become another one between the look and the deed.
void ShutDown(int fd, ino_t inode) {
  const int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  // Without a descriptor to spare the look alone must do.
  const int looked_at = own >= 0 ? own : fd;
  if (InodeOf(looked_at) == inode) shutdown(looked_at, SHUT_RDWR);
  if (own >= 0) close(own);
}

}  // namespace

struct ConnectionTable::Connection {
  int fd = -1;
  ino_t inode = 0;
  Peer peer;
  std::string name;         // once it is handed over
  Clock::time_point since;  // it is handed over
  uint32_t calls = 0;
  bool forgotten = false;
  // In its caller's list, while it has no call.
  std::list<std::shared_ptr<Connection>>::iterator idle;
};

Peer PeerOfSocket(int fd) {
  sockaddr_storage address = {};
  socklen_t size = sizeof(address);
  // It may have gone already.
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return {kGone, kGone, false};
  }
  if (address.ss_family == AF_UNIX) {
    ucred user = {};
    socklen_t user_size = sizeof(user);
    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &user, &user_size);
    const std::string caller = absl::StrCat("unix:uid=", user.uid);
    return {absl::StrCat(caller, ",pid=", user.pid), caller, true};
  }
  const std::string host = ToString(address);
  const char* const family = host[0] == '[' ? "ipv6:" : "ipv4:";
  return {family + host, CallerAt(address), false};
}

void ConnectionTable::SetLimits(const ConnectionLimits& limits) {
  const std::lock_guard<std::mutex> lock(mu_);
  limits_ = limits;
}

bool ConnectionTable::Admit(int fd, const Peer& peer) {
  const std::lock_guard<std::mutex> lock(mu_);
  ++counts_.accepted;
  if (IsFull(peer.caller) &&
      Clock::now() - looked_for_closed_ > kBetweenLooks) {
    ForgetClosed();
  }
  if (IsFull(peer.caller)) {
    const auto own = callers_.find(peer.caller);
    const bool by_itself =
        own != callers_.end() && own->second.connections >= limits_.of_a_peer;
    if (!DisplaceOneOf(by_itself ? &own->second : BusiestWithIdle())) {
      ++counts_.refused;
      return false;
    }
  }
  const auto stale = connections_.find(fd);
  if (stale != connections_.end()) {
    Forget(std::shared_ptr<Connection>(stale->second));
  }
  const auto connection = std::make_shared<Connection>();
  connection->fd = fd;
  connection->inode = InodeOf(fd);
  connection->peer = peer;
  Caller& caller = callers_[peer.caller];
  ++caller.connections;
  connection->idle = caller.idle.insert(caller.idle.end(), connection);
  connections_[fd] = connection;
  return true;
}

void ConnectionTable::HandOver(int fd, const std::string& name) {
  const std::lock_guard<std::mutex> lock(mu_);
  const auto found = connections_.find(fd);
  if (found == connections_.end()) return;
  found->second->since = Clock::now();
  found->second->name = name;
  names_[name] = found->second;
  auto& idle = callers_.at(found->second->peer.caller).idle;
  idle.splice(idle.end(), idle, found->second->idle);
}

void ConnectionTable::Remove(int fd, bool was_silent) {
  const std::lock_guard<std::mutex> lock(mu_);
  if (was_silent) ++counts_.silent;
  const auto found = connections_.find(fd);
  if (found == connections_.end()) return;
  Forget(std::shared_ptr<Connection>(found->second));
}

void ConnectionTable::MakeRoom() {
  const std::lock_guard<std::mutex> lock(mu_);
  ++counts_.starved;
  DisplaceOneOf(BusiestWithIdle());
}

void ConnectionTable::Sweep(std::chrono::milliseconds lifetime) {
  const std::lock_guard<std::mutex> lock(mu_);
  ForgetClosed();
  if (lifetime.count() == 0) return;
  const Clock::time_point oldest = Clock::now() - lifetime;
  for (const auto& [fd, connection] : connections_) {
    // One without a name is the accept loop's still.
    if (!connection->name.empty() && connection->since < oldest) {
      ShutDown(fd, connection->inode);
    }
  }
}

std::shared_ptr<ConnectionTable::Connection> ConnectionTable::BeginCall(
    const std::string& name) {
  const std::lock_guard<std::mutex> lock(mu_);
  const auto found = names_.find(name);
  if (found == names_.end()) return nullptr;
  Connection& connection = *found->second;
  if (connection.calls++ == 0) {
    callers_.at(connection.peer.caller).idle.erase(connection.idle);
  }
  return found->second;
}

void ConnectionTable::EndCall(const std::shared_ptr<Connection>& connection) {
  if (connection == nullptr) return;
  const std::lock_guard<std::mutex> lock(mu_);
  if (--connection->calls > 0 || connection->forgotten) return;
  auto& idle = callers_.at(connection->peer.caller).idle;
  connection->idle = idle.insert(idle.end(), connection);
}

Peer ConnectionTable::PeerOf(const std::string& name) const {
  const std::lock_guard<std::mutex> lock(mu_);
  const auto found = names_.find(name);
  return found == names_.end() ? Peer{name, kGone, false} : found->second->peer;
}

ConnectionCounts ConnectionTable::counts() const {
  const std::lock_guard<std::mutex> lock(mu_);
  ConnectionCounts counts = counts_;
  counts.open = static_cast<uint32_t>(connections_.size());
  counts.limit = limits_.all;
  for (const auto& [name, caller] : callers_) {
    counts.of_a_peer = std::max(counts.of_a_peer, caller.connections);
  }
  counts.limit_of_a_peer = limits_.of_a_peer;
  return counts;
}

bool ConnectionTable::IsFull(const std::string& caller) const {
  const auto own = callers_.find(caller);
  return connections_.size() >= limits_.all ||
         (own != callers_.end() &&
          own->second.connections >= limits_.of_a_peer);
}

void ConnectionTable::ForgetClosed() {
  looked_for_closed_ = Clock::now();
  std::vector<std::shared_ptr<Connection>> closed;
  for (const auto& [fd, connection] : connections_) {
    if (InodeOf(fd) != connection->inode) closed.push_back(connection);
  }
  for (const auto& connection : closed) Forget(connection);
}

void ConnectionTable::Forget(const std::shared_ptr<Connection>& connection) {
  connection->forgotten = true;
  const auto caller = callers_.find(connection->peer.caller);
  if (connection->calls == 0) caller->second.idle.erase(connection->idle);
  if (--caller->second.connections == 0) callers_.erase(caller);
  const auto name = names_.find(connection->name);
  // The name may be a newer connection's.
  if (name != names_.end() && name->second == connection) names_.erase(name);
  connections_.erase(connection->fd);
}

bool ConnectionTable::DisplaceOneOf(Caller* caller) {
  if (caller == nullptr || caller->idle.empty()) return false;
  const std::shared_ptr<Connection> idlest = caller->idle.front();
  ShutDown(idlest->fd, idlest->inode);
  ++counts_.displaced;
  Forget(idlest);
  return true;
}

// Null: nobody has a connection without a call.
ConnectionTable::Caller* ConnectionTable::BusiestWithIdle() {
  Caller* busiest = nullptr;
  for (auto& [name, caller] : callers_) {
    if (!caller.idle.empty() &&
        (busiest == nullptr || caller.connections > busiest->connections)) {
      busiest = &caller;
    }
  }
  return busiest;
}

}  // namespace inkstream::transport
