#include "server/batch/view/key_set_cache.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/base/nearest_name.h"
#include "server/base/status_reason.h"

namespace inkstream::batch {
namespace {

constexpr absl::Duration kRetryDelay = absl::Seconds(5);

}  // namespace

class KeySetCache::Upload : public KeyUpload {
 public:
  Upload(KeySetCache* cache, std::string caller)
      : cache_(cache), caller_(std::move(caller)) {}
  ~Upload() override { cache_->GiveBack(caller_, claimed_); }

  absl::Status Add(absl::Span<const int64_t> keys) override {
    if (keys.size() > cache_->max_keys() - keys_.size()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "key_id: ", keys_.size() + keys.size(), " keys; at most ",
          cache_->max_keys(), " a set on this server (max_keys)"));
    }
    for (size_t i = 0; i < keys.size(); ++i) {
      if (keys[i] > 0) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("key_id[", keys_.size() + i, "]: ", keys[i],
                       " is no key; keys are 1..2^63-1"));
    }
    absl::Status status = cache_->Claim(caller_, kUploadBytes * keys.size());
    if (!status.ok()) return status;
    claimed_ += kUploadBytes * keys.size();
    keys_.insert(keys_.end(), keys.begin(), keys.end());
    return absl::OkStatus();
  }

  std::vector<int64_t> Take() { return std::move(keys_); }

 private:
  KeySetCache* const cache_;
  const std::string caller_;
  std::vector<int64_t> keys_;
  size_t claimed_ = 0;
};

std::unique_ptr<KeyUpload> KeySetCache::NewUpload(const std::string& caller) {
  return std::make_unique<Upload>(this, caller);
}

absl::StatusOr<std::shared_ptr<const KeySet>> KeySetCache::Keep(
    std::unique_ptr<KeyUpload> upload) {
  std::vector<int64_t> keys = static_cast<Upload*>(upload.get())->Take();
  if (keys.empty()) {
    return absl::InvalidArgumentError("key_id: no keys; give at least one");
  }
  auto added = std::make_shared<const KeySet>(std::move(keys));
  upload.reset();
  const std::lock_guard<std::mutex> lock(mu_);
  if (const auto* const same = sets_.Find(added->hash())) return *same;
  bytes_ += added->bytes();
  sets_.Put(added->hash(), added);
  MakeRoom();
  return added;
}

absl::StatusOr<std::shared_ptr<const KeySet>> KeySetCache::Get(
    const std::string& field, const std::string& hash) {
  if (hash.empty()) return nullptr;
  const std::lock_guard<std::mutex> lock(mu_);
  if (const auto* const found = sets_.Find(hash)) {
    ++lookups_.hits;
    return *found;
  }
  ++lookups_.misses;
  return WithReason(
      absl::NotFoundError(absl::StrCat(
          field, ": this server does not have the key set ", Quoted(hash),
          " (any more); upload it with UploadKeys and ask again")),
      kReasonKeysNotHere);
}

Lookups KeySetCache::lookups() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return lookups_;
}

size_t KeySetCache::bytes() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return bytes_ + claimed_;
}

absl::Status KeySetCache::Claim(const std::string& caller, size_t bytes) {
  const std::lock_guard<std::mutex> lock(mu_);
  const size_t own = claimed_by_.Of(caller);
  if (bytes > budget_bytes_ - claimed_ ||
      (!caller.empty() && own + bytes > CallerShare(budget_bytes_))) {
    return WithRetryDelay(
        WithReason(absl::ResourceExhaustedError(absl::StrCat(
                       "key_id: sets that are being uploaded take ", claimed_,
                       " bytes, ", own, " of them from ", Quoted(caller),
                       "; this server has ", budget_bytes_,
                       " for key sets (a quarter of what it has for views), "
                       "seven eighths of that for one caller")),
                   kReasonViewMemory),
        kRetryDelay);
  }
  claimed_ += bytes;
  claimed_by_.Take(caller, bytes);
  MakeRoom();
  return absl::OkStatus();
}

void KeySetCache::GiveBack(const std::string& caller, size_t bytes) {
  const std::lock_guard<std::mutex> lock(mu_);
  claimed_ -= bytes;
  claimed_by_.GiveBack(caller, bytes);
}

// The newest set stays: it has just been asked for.
void KeySetCache::MakeRoom() {
  sets_.GiveUp(
      [this] {
        return bytes_ + claimed_ <= budget_bytes_ || sets_.size() == 1;
      },
      [](const auto&) { return true; },
      [this](const auto& set) { bytes_ -= set->bytes(); });
}

}  // namespace inkstream::batch
