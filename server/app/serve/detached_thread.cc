#include "server/app/serve/detached_thread.h"

#include <spdlog/spdlog.h>

#include <thread>
#include <utility>

namespace inkstream::app {
namespace {

// How long an end waits for a look that is being taken.
constexpr std::chrono::seconds kPatience(1);

}  // namespace

bool DetachedThread::Owner::Do(const std::function<void()>& work) {
  const std::lock_guard<std::mutex> lock(mu_);
  if (!gone_) work();
  return !gone_;
}

bool DetachedThread::Owner::Pause(std::chrono::nanoseconds pause) {
  std::unique_lock<std::mutex> lock(mu_);
  changed_.wait_for(lock, pause, [this] { return gone_ || woken_; });
  woken_ = false;
  return !gone_;
}

DetachedThread::DetachedThread(std::function<void(Owner*)> body) {
  std::thread([owner = owner_, body = std::move(body)] {
    body(owner.get());
    const std::lock_guard<std::mutex> lock(owner->mu_);
    owner->ended_ = true;
    owner->changed_.notify_all();
  }).detach();
}

DetachedThread::~DetachedThread() {
  Stop();
  std::unique_lock<std::mutex> lock(owner_->mu_);
  if (!owner_->changed_.wait_until(lock, stopped_ + kPatience,
                                   [this] { return owner_->ended_; })) {
    spdlog::warn("a store does not answer; its file system is not waited for");
  }
}

void DetachedThread::Wake() {
  const std::lock_guard<std::mutex> lock(owner_->mu_);
  owner_->woken_ = true;
  owner_->changed_.notify_all();
}

void DetachedThread::Stop() {
  const std::lock_guard<std::mutex> lock(owner_->mu_);
  if (std::exchange(owner_->gone_, true)) return;
  stopped_ = std::chrono::steady_clock::now();
  owner_->changed_.notify_all();
}

}  // namespace inkstream::app
