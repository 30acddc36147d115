#include "server/transport/security/failed_attempts.h"

namespace inkstream::transport {

std::chrono::milliseconds FailedAttempts::Failed(const std::string& peer,
                                                 Clock::time_point now) {
  const std::lock_guard<std::mutex> lock(mu_);
  const auto over = [now](const Second& second) {
    return now - second.begin >= std::chrono::seconds(1);
  };
  if (peers_.size() >= kMostPeers) {
    std::erase_if(peers_, [&](const auto& one) { return over(one.second); });
    // So many peers at once are no one's mistakes.
    if (peers_.size() >= kMostPeers) peers_.clear();
  }
  Second& second = peers_[peer];
  if (over(second)) second = {now, 0};
  if (++second.answers <= kAnswersASecond || waiting_ >= most_waiting_) {
    return std::chrono::milliseconds::zero();
  }
  ++waiting_;
  return kPause;
}

void FailedAttempts::Waited() {
  const std::lock_guard<std::mutex> lock(mu_);
  --waiting_;
}

}  // namespace inkstream::transport
