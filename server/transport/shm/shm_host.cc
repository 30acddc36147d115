#include "server/transport/shm/shm_host.h"

#include <fcntl.h>
#include <sys/random.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"

namespace inkstream::transport {
namespace {

// Slots beside those that credits may fill: four that a client may keep views
// of, four whose release may still be on its way.
constexpr uint32_t kSpareSlots = 8;
// Where the budget is short: credits for the least that still overlaps drawing
// with reading.
constexpr uint32_t kLeastCredits = 2;

}  // namespace

struct ShmHost::Ledger {
  const uint64_t budget;
  std::mutex mu;  // guards everything below
  uint64_t in_use = 0;
  std::map<ShmToken, std::weak_ptr<ShmArea>> tokens;

  explicit Ledger(uint64_t bytes) : budget(bytes) {}

  bool Take(uint64_t bytes) {
    const std::lock_guard<std::mutex> lock(mu);
    if (bytes > budget - in_use) return false;
    in_use += bytes;
    return true;
  }
  void Give(uint64_t bytes, const ShmToken& token) {
    const std::lock_guard<std::mutex> lock(mu);
    in_use -= bytes;
    tokens.erase(token);
  }
};

absl::StatusOr<std::unique_ptr<ShmHost>> ShmHost::Start(
    const std::string& socket_path, uint64_t budget, uint32_t max_credits,
    const SocketAccess& access) {
  std::unique_ptr<ShmHost> host(new ShmHost(budget, max_credits));
  auto socket = DescriptorSocket::Listen(
      socket_path, access, [host = host.get()](const ShmToken& token) {
        return host->Redeem(token);
      });
  if (!socket.ok()) return socket.status();
  host->socket_ = *std::move(socket);
  return host;
}

ShmHost::ShmHost(uint64_t budget, uint32_t max_credits)
    : max_credits_(max_credits), ledger_(std::make_shared<Ledger>(budget)) {}

ShmHost::~ShmHost() = default;

absl::StatusOr<ShmOffer> ShmHost::Offer(uint64_t batch_bytes) {
  SlotLayout layout;
  layout.slot_bytes =
      (std::max<uint64_t>(batch_bytes, 1) + kSlotAlignment - 1) /
      kSlotAlignment * kSlotAlignment;
  uint32_t credits = max_credits_;
  layout.slots = credits + kSpareSlots;
  if (!layout.valid()) {
    return absl::ResourceExhaustedError("batches are too large for slots");
  }
  ShmToken token;
  if (getrandom(token.data(), token.size(), 0) !=
      static_cast<ssize_t>(token.size())) {
    return absl::ResourceExhaustedError("the system gives no random bytes");
  }
  if (!ledger_->Take(layout.bytes())) {
    credits = std::min(credits, kLeastCredits);
    layout.slots = credits + kSpareSlots;
    if (!ledger_->Take(layout.bytes())) {
      return absl::ResourceExhaustedError(
          absl::StrCat("the server's shared memory is spent: the stream needs ",
                       layout.bytes(), " bytes, ", budget() - in_use(), " of ",
                       budget(), " are free (--shm-bytes)"));
    }
  }
  absl::StatusOr<std::shared_ptr<ShmArea>> area =
      ShmArea::Create(layout, [ledger = ledger_, bytes = layout.bytes(),
                               token] { ledger->Give(bytes, token); });
  if (!area.ok()) return area.status();
  {
    const std::lock_guard<std::mutex> lock(ledger_->mu);
    ledger_->tokens[token] = *area;
  }
  return ShmOffer{*std::move(area), std::string(token.data(), token.size()),
                  credits};
}

int ShmHost::Redeem(const ShmToken& token) {
  std::shared_ptr<ShmArea> area;
  {
    const std::lock_guard<std::mutex> lock(ledger_->mu);
    const auto found = ledger_->tokens.find(token);
    if (found == ledger_->tokens.end()) return -1;
    area = found->second.lock();
    ledger_->tokens.erase(found);
  }
  if (area == nullptr) return -1;
  return fcntl(area->descriptor(), F_DUPFD_CLOEXEC, 0);
}

uint64_t ShmHost::budget() const { return ledger_->budget; }

uint64_t ShmHost::in_use() const {
  const std::lock_guard<std::mutex> lock(ledger_->mu);
  return ledger_->in_use;
}

size_t ShmHost::tokens() const {
  const std::lock_guard<std::mutex> lock(ledger_->mu);
  return ledger_->tokens.size();
}

}  // namespace inkstream::transport
