#include "server/batch/view/key_set_cache.h"

#include <cmath>
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
    absl::Status status = Take(DrawingName::kKey, false, keys);
    return status.ok() ? Claim(kUploadBytes, keys) : status;
  }

  absl::Status AddWeights(DrawingName by, absl::Span<const int64_t> names,
                          absl::Span<const double> weights) override {
    if (names.size() != weights.size()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "weights: ", weights.size(), " for ", names.size(), " drawings in ",
          FieldOf(by), "; give each of them one"));
    }
    for (size_t i = 0; i < weights.size(); ++i) {
      if (std::isfinite(weights[i]) && weights[i] >= 0) continue;
      return absl::InvalidArgumentError(absl::StrCat(
          "weights[", names_.size() + i, "]: ", weights[i],
          " is not a finite number >= 0; 0 leaves the drawing out"));
    }
    absl::Status status = Take(by, true, names);
    if (status.ok()) status = Claim(kWeightUploadBytes, names);
    if (!status.ok()) return status;
    weights_.insert(weights_.end(), weights.begin(), weights.end());
    return absl::OkStatus();
  }

  absl::StatusOr<Kept> Make(KeptKeys* told) {
    if (names_.empty()) {
      return absl::InvalidArgumentError("key_id: no keys; give at least one");
    }
    Kept kept;
    if (weighted_) {
      absl::StatusOr<WeightSet> made =
          WeightSet::Create(by_, std::move(names_), std::move(weights_));
      if (!made.ok()) return made.status();
      kept.weights = std::make_shared<const WeightSet>(*std::move(made));
      kept.bytes = kept.weights->bytes();
      *told = {kept.weights->hash(), kept.weights->size()};
    } else {
      kept.keys = std::make_shared<const KeySet>(std::move(names_));
      kept.bytes = kept.keys->bytes();
      *told = {kept.keys->hash(), kept.keys->size()};
    }
    return kept;
  }

 private:
  // Whether more of these are a set together with what came before.
  absl::Status Take(DrawingName by, bool weighted,
                    absl::Span<const int64_t> names) {
    if (!names_.empty() && (by != by_ || weighted != weighted_)) {
      return absl::InvalidArgumentError(absl::StrCat(
          FieldOf(by), ": ", weighted ? "with weights" : "without weights",
          ", after ", FieldOf(by_), weighted_ ? " with" : " without",
          " them; all messages of a set are alike"));
    }
    by_ = by;
    weighted_ = weighted;
    const uint64_t most = weighted ? cache_->max_weights() : cache_->max_keys();
    if (names.size() > most - names_.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat(FieldOf(by), ": ", names_.size() + names.size(),
                       " keys; at most ", most, " a set on this server (",
                       weighted ? "max_weights)" : "max_keys)"));
    }
    const int64_t least = by == DrawingName::kKey ? 1 : 0;
    for (size_t i = 0; i < names.size(); ++i) {
      if (names[i] >= least) continue;
      return absl::InvalidArgumentError(absl::StrCat(
          FieldOf(by), "[", names_.size() + i, "]: ", names[i], " is no ",
          by == DrawingName::kKey ? "key; keys are 1..2^63-1"
                                  : "index; indices are below 2^63"));
    }
    return absl::OkStatus();
  }

  absl::Status Claim(size_t bytes_each, absl::Span<const int64_t> names) {
    absl::Status status = cache_->Claim(caller_, bytes_each * names.size());
    if (!status.ok()) return status;
    claimed_ += bytes_each * names.size();
    names_.insert(names_.end(), names.begin(), names.end());
    return absl::OkStatus();
  }

  KeySetCache* const cache_;
  const std::string caller_;
  DrawingName by_ = DrawingName::kKey;
  bool weighted_ = false;
  std::vector<int64_t> names_;
  std::vector<double> weights_;
  size_t claimed_ = 0;
};

std::unique_ptr<KeyUpload> KeySetCache::NewUpload(const std::string& caller) {
  return std::make_unique<Upload>(this, caller);
}

absl::StatusOr<KeptKeys> KeySetCache::Keep(std::unique_ptr<KeyUpload> upload) {
  KeptKeys told;
  absl::StatusOr<Kept> made = static_cast<Upload*>(upload.get())->Make(&told);
  if (!made.ok()) return made.status();
  upload.reset();
  const std::lock_guard<std::mutex> lock(mu_);
  if (sets_.Find(told.hash) != nullptr) return told;
  bytes_ += made->bytes;
  sets_.Put(told.hash, *std::move(made));
  MakeRoom();
  return told;
}

absl::StatusOr<std::shared_ptr<const KeySet>> KeySetCache::Get(
    const std::string& field, const std::string& hash) {
  if (hash.empty()) return nullptr;
  absl::StatusOr<Kept> kept = Find(field, hash, "key set");
  if (!kept.ok()) return kept.status();
  return std::move(kept->keys);
}

absl::StatusOr<std::shared_ptr<const WeightSet>> KeySetCache::GetWeights(
    const std::string& field, const std::string& hash) {
  if (hash.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        field, ": names no weights; give the hash that UploadKeys answers"));
  }
  absl::StatusOr<Kept> kept = Find(field, hash, "set of weights");
  if (!kept.ok()) return kept.status();
  return std::move(kept->weights);
}

absl::StatusOr<KeySetCache::Kept> KeySetCache::Find(const std::string& field,
                                                    const std::string& hash,
                                                    absl::string_view what) {
  const bool weights = what != "key set";
  const std::string name = Quoted(hash);
  const std::lock_guard<std::mutex> lock(mu_);
  if (const Kept* const found = sets_.Find(hash)) {
    ++lookups_.hits;
    if (weights == (found->weights != nullptr)) return *found;
    return absl::InvalidArgumentError(
        absl::StrCat(field, ": ", name, " is no ", what, " but a ",
                     weights ? "key set" : "set of weights"));
  }
  ++lookups_.misses;
  return WithReason(
      absl::NotFoundError(absl::StrCat(
          field, ": this server does not have the ", what, " ", name,
          " (any more); upload it with UploadKeys and ask again")),
      kReasonKeysNotHere);
}

Lookups KeySetCache::lookups() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return lookups_;
}

size_t KeySetCache::bytes() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return bytes_ + claimed_.all();
}

absl::Status KeySetCache::Claim(const std::string& caller, size_t bytes) {
  const std::lock_guard<std::mutex> lock(mu_);
  const size_t own = claimed_.Of(caller);
  if (bytes > budget_bytes_ - claimed_.all() ||
      (!caller.empty() && own + bytes > CallerShare(budget_bytes_))) {
    return WithRetryDelay(
        WithReason(absl::ResourceExhaustedError(absl::StrCat(
                       "key_id: sets that are being uploaded take ",
                       claimed_.all(), " bytes, ", own, " of them from ",
                       Quoted(caller), "; this server has ", budget_bytes_,
                       " for key sets (a quarter of what it has for views), "
                       "seven eighths of that for one caller")),
                   kReasonViewMemory),
        kRetryDelay);
  }
  claimed_.Add(caller, bytes);
  MakeRoom();
  return absl::OkStatus();
}

void KeySetCache::GiveBack(const std::string& caller, size_t bytes) {
  const std::lock_guard<std::mutex> lock(mu_);
  claimed_.Remove(caller, bytes);
}

// The newest set stays: it has just been asked for.
void KeySetCache::MakeRoom() {
  sets_.GiveUp(
      [this] {
        return bytes_ + claimed_.all() <= budget_bytes_ || sets_.size() == 1;
      },
      [](const auto&) { return true; },
      [this](const Kept& set) { bytes_ -= set.bytes; });
}

}  // namespace inkstream::batch
