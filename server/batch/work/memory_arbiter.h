// Shares the memory of one pool out between streams and fetches, fairly also
// when it is short. See the source for the rules.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/batch/job/buffer_pool.h"
#include "server/batch/work/worker_pool.h"

namespace inkstream::batch {

// Whoever waits for a buffer.
class BufferWaiter {
 public:
  virtual ~BufferWaiter() = default;

  // Called once for each request that had to wait, with no lock held. A waiter
  // that has lost interest just drops the buffer. UNAVAILABLE with reason
  // OVERLOADED: it has waited for too long; the text has the sum.
  virtual void OnBuffer(absl::StatusOr<std::unique_ptr<Buffer>> buffer) = 0;
};

class MemoryArbiter;

// One stream's, or one fetch's, part in the pool. What it has lent stays
// counted until it comes back, also after Close().
class MemoryAccount : public std::enable_shared_from_this<MemoryAccount> {
 public:
  ~MemoryAccount();

  // A buffer; null: `waiter` gets it later, and asks for no other one until
  // then. `bytes`: at most what the account was opened for.
  absl::StatusOr<std::unique_ptr<Buffer>> Acquire(
      size_t bytes, std::shared_ptr<BufferWaiter> waiter);

  // What it was opened for.
  size_t largest() const { return largest_; }
  // Closes this account for one of larger buffers. REQUIRES: nothing waits.
  std::shared_ptr<MemoryAccount> Larger(size_t bytes);

  // Until the next Acquire() its reservation is another's if one needs it,
  // after a while.
  void WantNothing();

  // Gives up the reservation and whatever waits. Idempotent.
  void Close();

 private:
  friend class MemoryArbiter;
  class Lease;

  // Part of the budget. `passed`: the number of the request in front that it
  // was given past; 0: none.
  struct Claim {
    size_t bytes = 0;
    uint64_t passed = 0;
  };
  struct Request {
    std::shared_ptr<BufferWaiter> waiter;  // null: there is none
    size_t bytes = 0;
    size_t size = 0;      // that they take in the pool
    uint64_t number = 0;  // in order of arrival
    std::chrono::steady_clock::time_point since;
  };

  MemoryAccount(std::shared_ptr<MemoryArbiter> arbiter, std::string caller,
                size_t largest, size_t reserve)
      : arbiter_(std::move(arbiter)),
        caller_(std::move(caller)),
        largest_(largest),
        reserve_(reserve) {}

  bool reserved() const { return reservation_.bytes > 0; }
  size_t claimed() const { return reservation_.bytes + extra_; }

  const std::shared_ptr<MemoryArbiter> arbiter_;
  const std::string caller_;
  const size_t largest_;
  const size_t reserve_;  // that it takes in the pool

  // Guarded by the arbiter's mutex:
  Claim reservation_;     // all of reserve_, or nothing
  size_t own_ = 0;        // bytes of buffers that lie in the reservation
  size_t extra_ = 0;      // bytes of those that do not
  uint64_t buffers_ = 0;  // lent now
  uint64_t returned_ = 0;
  Request request_;
  bool wants_nothing_ = false;
  bool closed_ = false;
  enum class Rest : uint8_t { kNone, kShort, kIdle };
  Rest rest_ = Rest::kNone;
  std::chrono::steady_clock::time_point rests_since_;
  std::list<MemoryAccount*>::iterator place_;  // among those that rest like it
};

class MemoryArbiter : public std::enable_shared_from_this<MemoryArbiter> {
 public:
  using Clock = std::chrono::steady_clock;

  // Those who wait are served from `workers`. Who wants nothing for longer than
  // `rest` may lose its reservation to another.
  MemoryArbiter(std::shared_ptr<BufferPool> pool,
                std::shared_ptr<WorkerPool> workers,
                std::chrono::milliseconds rest = std::chrono::seconds(2));

  // `bytes`: of the largest buffer it will ask for; at most the budget.
  // Accounts of the same `caller` share what is the caller's.
  std::shared_ptr<MemoryAccount> Open(std::string caller, size_t bytes);

  // Ends the waits for a first buffer that began before `since`.
  void EndWaits(Clock::time_point since);

  // Lets go of all waiters, now and from now on.
  void Stop();

  size_t budget() const { return budget_; }
  size_t in_use() const;  // bytes of buffers that are lent

 private:
  friend class MemoryAccount;
  using Account = MemoryAccount;
  using Claim = MemoryAccount::Claim;
  using Request = MemoryAccount::Request;
  using Rest = MemoryAccount::Rest;

  // All of these with mu_ held.
  size_t Need(const Account& account) const;
  bool Fits(const Account& account) const;
  bool Before(const Account& one, const Account& other) const;
  Account* Next();  // whose request is met next; null: none can be
  Claim Grant(Account* account);  // the extra that its request takes
  void Give(const Account& account, const Claim& claim);
  void GiveReservation(Account* account);
  Request TakeRequest(Account* account);
  void SetResting(Account* account, bool resting);
  void FindIdle();  // among those that rest
  void ServeSoon();
  absl::Status Overloaded(const Account& account) const;

  void Serve();
  absl::StatusOr<std::unique_ptr<Buffer>> Lend(std::shared_ptr<Account> account,
                                               const Request& request,
                                               const Claim& extra);
  void Return(Account* account, size_t size, const Claim& extra);

  const std::shared_ptr<BufferPool> pool_;
  const std::shared_ptr<WorkerPool> workers_;
  const size_t budget_;
  const std::chrono::milliseconds rest_;

  mutable std::mutex mu_;                        // guards everything below
  size_t claimed_ = 0;                           // reservations and extras
  size_t in_use_ = 0;                            // buffers that are lent
  std::map<std::string, size_t> claimed_by_;     // by caller, none of them 0
  uint32_t holders_ = 0;                         // accounts with a reservation
  std::list<std::shared_ptr<Account>> waiting_;  // in order of arrival
  std::list<Account*> resting_;                  // want nothing for a moment
  std::list<Account*> idle_;  // for longer, the longest first
  size_t idle_bytes_ = 0;     // their reservations
  uint64_t front_ = 0;        // the oldest request for a reservation; 0: none
  size_t passed_ = 0;         // bytes given past it and not back yet
  uint64_t number_ = 0;       // of the latest request
  bool serving_ = false;      // a call of Serve() is posted
  bool stopped_ = false;
};

}  // namespace inkstream::batch
