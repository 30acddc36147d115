// How memory is shared out, where it is enough and where it is short:
//
// 1. An account's first buffer comes with a reservation of its largest buffer.
//    While it has that, one buffer is always its own: whoever reads goes on, in
//    whatever order a client steps through its streams. A fetch is an account
//    with one buffer.
// 2. What is not reserved is extra. A request for it is met while it fits; once
//    half of the budget is claimed, only as far as the client reads: one buffer
//    more for each that came back, as a TCP sender's window grows. So those who
//    read nothing leave half of it to those who do.
// 3. Of several requests that fit, that of the caller who has least is met
//    first, of one caller's that of the account with least, then the oldest.
//    So nobody gets more while another waits with none.
// 4. A request that does not fit is passed by those that do. What has passed
//    the oldest one that waits for a reservation comes to half of the budget at
//    most, so that it gets its turn when what was lent before has come back.
// 5. What one caller's accounts claim together leaves an eighth to others, but
//    one buffer it may have whatever its size (caller_sums.h).
// 6. An account that has wanted nothing for a while keeps its reservation until
//    another account needs one. Between two steps of a trainer it is its own:
//    those who read nothing would take it, and hold it until they are ended.
//
// Requests that wait are served from a worker: a buffer may come back under any
// lock of its holder.
#include "server/batch/work/memory_arbiter.h"

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "server/base/status_reason.h"
#include "server/batch/work/caller_sums.h"

namespace inkstream::batch {
namespace {

constexpr absl::Duration kRetryDelay = absl::Seconds(1);

// More than any budget, and still a sum with one.
constexpr size_t kTooMuch = SIZE_MAX / 2;

double MiB(size_t bytes) { return static_cast<double>(bytes) / (1U << 20U); }

}  // namespace

// A buffer that is counted until it has come back.
class MemoryAccount::Lease : public Buffer {
 public:
  Lease(std::shared_ptr<MemoryAccount> account, std::unique_ptr<Buffer> buffer,
        size_t bytes, const Claim& extra)
      : account_(std::move(account)),
        buffer_(std::move(buffer)),
        bytes_(bytes),
        extra_(extra) {}
  ~Lease() override {
    buffer_.reset();
    account_->arbiter_->Return(account_.get(), bytes_, extra_);
  }

  uint8_t* data() override { return buffer_->data(); }
  size_t size() const override { return buffer_->size(); }

 private:
  const std::shared_ptr<MemoryAccount> account_;
  std::unique_ptr<Buffer> buffer_;
  const size_t bytes_;
  const Claim extra_;
};

MemoryAccount::~MemoryAccount() { Close(); }

absl::StatusOr<std::unique_ptr<Buffer>> MemoryAccount::Acquire(
    size_t bytes, std::shared_ptr<BufferWaiter> waiter) {
  Request request = {std::move(waiter), bytes, arbiter_->pool_->SizeOf(bytes)};
  Claim extra;
  {
    const std::lock_guard<std::mutex> lock(arbiter_->mu_);
    if (arbiter_->stopped_ || closed_) return nullptr;
    arbiter_->SetResting(this, false);
    wants_nothing_ = false;
    request.number = ++arbiter_->number_;
    request.since = MemoryArbiter::Clock::now();
    request_ = std::move(request);
    arbiter_->waiting_.push_back(shared_from_this());
    const MemoryAccount* const next = arbiter_->Next();
    if (next != this) {
      if (next != nullptr) arbiter_->ServeSoon();
      return nullptr;
    }
    extra = arbiter_->Grant(this);
    request = arbiter_->TakeRequest(this);
  }
  return arbiter_->Lend(shared_from_this(), request, extra);
}

std::shared_ptr<MemoryAccount> MemoryAccount::Larger(size_t bytes) {
  Close();
  return arbiter_->Open(caller_, bytes);
}

void MemoryAccount::WantNothing() {
  const std::lock_guard<std::mutex> lock(arbiter_->mu_);
  wants_nothing_ = true;
  if (buffers_ == 0) arbiter_->SetResting(this, true);
}

void MemoryAccount::Close() {
  Request dropped;
  const std::lock_guard<std::mutex> lock(arbiter_->mu_);
  arbiter_->SetResting(this, false);
  dropped = arbiter_->TakeRequest(this);
  closed_ = true;
  // Where a buffer lies in it, it goes with the buffer.
  if (own_ == 0) arbiter_->GiveReservation(this);
  arbiter_->ServeSoon();
}

MemoryArbiter::MemoryArbiter(std::shared_ptr<BufferPool> pool,
                             std::shared_ptr<WorkerPool> workers,
                             std::chrono::milliseconds rest)
    : pool_(std::move(pool)),
      workers_(std::move(workers)),
      budget_(pool_->budget()),
      rest_(rest) {}

std::shared_ptr<MemoryAccount> MemoryArbiter::Open(std::string caller,
                                                   size_t bytes) {
  return std::shared_ptr<MemoryAccount>(new MemoryAccount(
      shared_from_this(), std::move(caller), bytes, pool_->SizeOf(bytes)));
}

size_t MemoryArbiter::in_use() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return in_use_;
}

// Bytes beside what the account has claimed already; kTooMuch where its caller
// has its share.
size_t MemoryArbiter::Need(const Account& account) const {
  const size_t size = account.request_.size;
  if (account.reserved() && account.own_ + size <= account.reserve_) return 0;
  const size_t need = account.reserved() ? size : account.reserve_;
  const auto found = claimed_by_.find(account.caller_);
  if (account.caller_.empty() || found == claimed_by_.end()) return need;
  const size_t share = CallerShare(budget_);
  size_t claimed = found->second;
  if (claimed + need > share && !account.reserved()) {
    // Its own idle ones make room.
    for (const Account* const idle : idle_) {
      if (idle->caller_ == account.caller_) claimed -= idle->reserve_;
    }
  }
  return claimed == 0 || claimed + need <= share ? need : kTooMuch;
}

bool MemoryArbiter::Fits(const Account& account) const {
  const size_t need = Need(account);
  if (need == 0) return true;
  size_t free = budget_ - claimed_;
  if (!account.reserved()) {
    free += idle_bytes_;
  } else if (claimed_ + need > budget_ / 2 &&
             account.buffers_ > account.returned_) {
    return false;
  }
  if (need > free) return false;
  return front_ == 0 || front_ == account.request_.number ||
         passed_ + need <= budget_ / 2;
}

bool MemoryArbiter::Before(const Account& one, const Account& other) const {
  const auto of_caller = [this](const Account& account) {
    const auto found = claimed_by_.find(account.caller_);
    return found == claimed_by_.end() ? 0 : found->second;
  };
  return std::make_tuple(of_caller(one), one.claimed(), one.request_.number) <
         std::make_tuple(of_caller(other), other.claimed(),
                         other.request_.number);
}

MemoryAccount* MemoryArbiter::Next() {
  FindIdle();
  const auto front =
      std::find_if(waiting_.begin(), waiting_.end(), [this](const auto& one) {
        return !one->reserved() && Need(*one) != kTooMuch;
      });
  const uint64_t number =
      front == waiting_.end() ? 0 : (*front)->request_.number;
  if (number != front_) passed_ = 0;
  front_ = number;
  Account* next = nullptr;
  for (const std::shared_ptr<Account>& account : waiting_) {
    if (!Fits(*account)) continue;
    // What is an account's own is taken from nobody.
    if (Need(*account) == 0) return account.get();
    if (next == nullptr || Before(*account, *next)) next = account.get();
  }
  return next;
}

MemoryArbiter::Claim MemoryArbiter::Grant(Account* account) {
  Claim claim = {Need(*account), 0};
  const bool first = !account->reserved();
  const auto give_up = [this](Account* idle) {
    SetResting(idle, false);
    GiveReservation(idle);
  };
  while (!account->caller_.empty() && first) {
    const auto found = claimed_by_.find(account->caller_);
    const auto own = std::find_if(idle_.begin(), idle_.end(),
                                  [account](const Account* idle) {
                                    return idle->caller_ == account->caller_;
                                  });
    if (found == claimed_by_.end() || own == idle_.end() ||
        found->second + claim.bytes <= CallerShare(budget_)) {
      break;
    }
    give_up(*own);
  }
  while (claim.bytes > budget_ - claimed_) give_up(idle_.front());
  if (claim.bytes > 0) {
    if (front_ != account->request_.number) claim.passed = front_;
    if (claim.passed != 0) passed_ += claim.bytes;
    claimed_ += claim.bytes;
    claimed_by_[account->caller_] += claim.bytes;
  }
  if (first) {
    ++holders_;
    account->reservation_ = std::exchange(claim, {});
  }
  if (claim.bytes > 0) {
    account->extra_ += claim.bytes;
  } else {
    account->own_ += account->request_.size;
  }
  ++account->buffers_;
  in_use_ += account->request_.size;
  return claim;
}

void MemoryArbiter::Give(const Account& account, const Claim& claim) {
  if (claim.passed != 0 && claim.passed == front_) passed_ -= claim.bytes;
  claimed_ -= claim.bytes;
  const auto caller = claimed_by_.find(account.caller_);
  caller->second -= claim.bytes;
  if (caller->second == 0) claimed_by_.erase(caller);
}

void MemoryArbiter::GiveReservation(Account* account) {
  if (!account->reserved()) return;
  --holders_;
  Give(*account, std::exchange(account->reservation_, {}));
}

MemoryArbiter::Request MemoryArbiter::TakeRequest(Account* account) {
  if (account->request_.waiter != nullptr) {
    waiting_.remove_if(
        [&](const auto& waiting) { return waiting.get() == account; });
  }
  return std::exchange(account->request_, {});
}

void MemoryArbiter::SetResting(Account* account, bool resting) {
  resting = resting && account->reserved();
  if ((account->rest_ != Rest::kNone) == resting) return;
  if (resting) {
    account->rest_ = Rest::kShort;
    account->rests_since_ = Clock::now();
    account->place_ = resting_.insert(resting_.end(), account);
    ServeSoon();
    return;
  }
  if (account->rest_ == Rest::kIdle) idle_bytes_ -= account->reserve_;
  (account->rest_ == Rest::kIdle ? idle_ : resting_).erase(account->place_);
  account->rest_ = Rest::kNone;
}

void MemoryArbiter::FindIdle() {
  if (resting_.empty()) return;
  const Clock::time_point since = Clock::now() - rest_;
  while (!resting_.empty() && resting_.front()->rests_since_ <= since) {
    Account* const account = resting_.front();
    account->rest_ = Rest::kIdle;
    idle_bytes_ += account->reserve_;
    idle_.splice(idle_.end(), resting_, resting_.begin());
  }
}

void MemoryArbiter::ServeSoon() {
  if (waiting_.empty() || serving_ || stopped_) return;
  serving_ = true;
  workers_->Post([self = shared_from_this()] { self->Serve(); });
}

void MemoryArbiter::Serve() {
  for (;;) {
    std::shared_ptr<Account> account;
    Request request;
    Claim extra;
    {
      const std::lock_guard<std::mutex> lock(mu_);
      serving_ = false;
      Account* const next = Next();
      if (next == nullptr) return;
      account = next->shared_from_this();
      extra = Grant(next);
      request = TakeRequest(next);
    }
    request.waiter->OnBuffer(Lend(std::move(account), request, extra));
  }
}

absl::StatusOr<std::unique_ptr<Buffer>> MemoryArbiter::Lend(
    std::shared_ptr<Account> account, const Request& request,
    const Claim& extra) {
  absl::StatusOr<std::unique_ptr<Buffer>> buffer =
      pool_->Acquire(request.bytes);
  if (!buffer.ok()) {
    Return(account.get(), request.size, extra);
    return buffer.status();
  }
  return std::make_unique<Account::Lease>(
      std::move(account), *std::move(buffer), request.size, extra);
}

void MemoryArbiter::Return(Account* account, size_t size, const Claim& extra) {
  const std::lock_guard<std::mutex> lock(mu_);
  in_use_ -= size;
  --account->buffers_;
  ++account->returned_;
  if (extra.bytes > 0) {
    account->extra_ -= extra.bytes;
    Give(*account, extra);
  } else {
    account->own_ -= size;
    if (account->closed_ && account->own_ == 0) GiveReservation(account);
  }
  if (account->wants_nothing_ && account->buffers_ == 0) {
    SetResting(account, true);
  }
  ServeSoon();
}

void MemoryArbiter::EndWaits(Clock::time_point since) {
  std::vector<std::pair<Request, absl::Status>> ended;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    std::vector<Account*> late;
    for (const std::shared_ptr<Account>& account : waiting_) {
      if (!account->reserved() && account->request_.since <= since) {
        late.push_back(account.get());
      }
    }
    for (Account* const account : late) {
      absl::Status status = Overloaded(*account);
      ended.emplace_back(TakeRequest(account), std::move(status));
    }
    ServeSoon();
  }
  for (auto& [request, status] : ended) {
    request.waiter->OnBuffer(std::move(status));
  }
}

absl::Status MemoryArbiter::Overloaded(const Account& account) const {
  return WithRetryDelay(
      WithReason(
          absl::UnavailableError(absl::StrFormat(
              "memory: this server has waited for room for one batch of %.1f "
              "MiB; of the %.1f MiB for batches (25 %% of --memory, seven "
              "eighths of that for one caller), %u other streams and fetches "
              "hold %.1f MiB. Ask for smaller batches, "
              "open fewer streams, or give the server more --memory",
              MiB(account.reserve_), MiB(budget_), holders_, MiB(claimed_))),
          kReasonOverloaded),
      kRetryDelay);
}

void MemoryArbiter::Stop() {
  std::vector<Request> dropped;
  const std::lock_guard<std::mutex> lock(mu_);
  stopped_ = true;
  while (!waiting_.empty()) {
    dropped.push_back(TakeRequest(waiting_.front().get()));
  }
}

}  // namespace inkstream::batch
