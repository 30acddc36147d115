#include "server/store/strokes/stroke_model.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/store/strokes/prefix_code.h"
#include "server/store/strokes/stroke_walk.h"

namespace inkstream::store {
namespace {

constexpr size_t kLengths = size_t{2} * kClusters * kDeltaSymbols +
                            size_t{kCountContexts} * kCountSymbols;
constexpr size_t kModelBytes = kXContexts + kYContexts + kLengths / 2;
static_assert(kLengths % 2 == 0);
static_assert(kDeltaCodeBits < 16 && kCountCodeBits < 16);

// Calls make_step(symbol) into every index whose bits begin with its code.
template <typename Step, typename MakeStep>
void FillSteps(absl::Span<const uint8_t> lengths,
               absl::Span<const uint16_t> codes, int max_bits, bool reversed,
               Step* steps, MakeStep make_step) {
  for (size_t s = 0; s < lengths.size(); ++s) {
    const int free_bits = max_bits - lengths[s];
    for (uint32_t rest = 0; rest < (1U << free_bits); ++rest) {
      const uint32_t index =
          reversed ? ReversedBits(codes[s], lengths[s]) | rest << lengths[s]
                   : static_cast<uint32_t>(codes[s]) << free_bits | rest;
      steps[index] = make_step(s);
    }
  }
}

}  // namespace

bool DeltaCodes::BuildTables(bool reversed) {
  for (const uint8_t cluster : cluster_of_) {
    if (cluster >= kClusters) return false;
  }
  for (int c = 0; c < kClusters; ++c) {
    const auto& lengths = lengths_[c];
    if (!IsCompleteCode(lengths, kDeltaCodeBits)) return false;
    const std::vector<uint16_t> forward = CanonicalCodes(lengths);
    for (size_t s = 0; s < kDeltaSymbols; ++s) {
      codes_[c][s] = {
          reversed ? ReversedBits(forward[s], lengths[s]) : forward[s],
          lengths[s]};
    }
    const auto step = [&](size_t s) {
      const Bucket bucket = kDeltaBuckets[s];
      const uint8_t base = static_cast<uint8_t>(bucket.base);
      return DeltaStep{static_cast<uint8_t>(lengths[s] + bucket.extra_bits),
                       bucket.extra_bits, base, kDeltaClass[base]};
    };
    FillSteps(lengths, forward, kDeltaCodeBits, reversed, steps_[c].data(),
              step);
    for (int delta = 0; delta < 256; ++delta) {
      const int s = kDeltaSymbolOf[delta];
      const Bucket bucket = kDeltaBuckets[s];
      const Code code = codes_[c][s];
      const auto extra = static_cast<uint8_t>(delta - bucket.base);
      bits_[c][delta] = {
          static_cast<uint16_t>(reversed
                                    ? code.bits | extra << code.length
                                    : code.bits << bucket.extra_bits | extra),
          static_cast<uint16_t>(code.length + bucket.extra_bits)};
    }
  }
  return true;
}

bool StrokeModel::BuildTables() {
  if (!x_.BuildTables(false) || !y_.BuildTables(true)) return false;
  for (int c = 0; c < kCountContexts; ++c) {
    const auto& lengths = count_lengths_[c];
    if (!IsCompleteCode(lengths, kCountCodeBits)) return false;
    const std::vector<uint16_t> codes = CanonicalCodes(lengths);
    for (int s = 0; s < kCountSymbols; ++s) {
      count_codes_[c][s] = {codes[s], lengths[s]};
    }
    const auto step = [&](size_t s) {
      const Bucket bucket = kCountBuckets[s];
      return CountStep{static_cast<uint8_t>(lengths[s] + bucket.extra_bits),
                       bucket.extra_bits, static_cast<uint16_t>(bucket.base)};
    };
    FillSteps(lengths, codes, kCountCodeBits, false, count_steps_[c].data(),
              step);
  }
  return true;
}

std::string StrokeModel::Serialize() const {
  std::string out(x_.cluster_of_.begin(), x_.cluster_of_.end());
  out.append(y_.cluster_of_.begin(), y_.cluster_of_.end());
  std::vector<uint8_t> all;
  for (const DeltaCodes* axis : {&x_, &y_}) {
    for (const auto& l : axis->lengths_)
      all.insert(all.end(), l.begin(), l.end());
  }
  for (const auto& l : count_lengths_)
    all.insert(all.end(), l.begin(), l.end());
  for (size_t i = 0; i < all.size(); i += 2) {
    out.push_back(static_cast<char>(all[i] | all[i + 1] << 4));
  }
  return out;
}

absl::StatusOr<std::shared_ptr<const StrokeModel>> StrokeModel::Parse(
    absl::string_view bytes) {
  if (bytes.size() != kModelBytes) {
    return absl::DataLossError(absl::StrCat("stroke model: expected ",
                                            kModelBytes, " bytes, found ",
                                            bytes.size()));
  }
  std::shared_ptr<StrokeModel> model(new StrokeModel());
  model->x_.cluster_of_.assign(bytes.begin(), bytes.begin() + kXContexts);
  bytes.remove_prefix(kXContexts);
  model->y_.cluster_of_.assign(bytes.begin(), bytes.begin() + kYContexts);
  bytes.remove_prefix(kYContexts);
  size_t at = 0;
  const auto fill = [&](auto* rows) {
    for (auto& row : *rows) {
      for (uint8_t& length : row) {
        const uint8_t pair = static_cast<uint8_t>(bytes[at / 2]);
        length = at % 2 == 0 ? pair & 15 : pair >> 4;
        ++at;
      }
    }
  };
  fill(&model->x_.lengths_);
  fill(&model->y_.lengths_);
  fill(&model->count_lengths_);
  if (!model->BuildTables()) {
    return absl::DataLossError(
        "stroke model: not a map to clusters with complete prefix codes");
  }
  return model;
}

StrokeModelTrainer::StrokeModelTrainer() : x_(kXContexts), y_(kYContexts) {}

void StrokeModelTrainer::Add(const ByteStrokes& strokes) {
  struct Counter {
    StrokeModelTrainer& to;
    void Count(int context, uint32_t value) {
      ++to.count_[context][CountSymbolOf(value)];
    }
    void X(int context, uint8_t delta) {
      ++to.x_[context][kDeltaSymbolOf[delta]];
    }
    void Y(int context, uint8_t delta) {
      ++to.y_[context][kDeltaSymbolOf[delta]];
    }
  } counter{*this};
  WalkStrokes(strokes, counter);
}

std::shared_ptr<const StrokeModel> StrokeModelTrainer::Train() const {
  std::shared_ptr<StrokeModel> model(new StrokeModel());
  const auto learn = [](const auto& counts, int max_bits, auto* lengths) {
    const std::vector<uint8_t> best = OptimalCodeLengths(counts, max_bits);
    std::copy(best.begin(), best.end(), lengths->begin());
  };
  const auto learn_axis = [&](const std::vector<DeltaCounts>& contexts,
                              DeltaCodes* axis) {
    Clusters clusters = ClusterContexts(contexts);
    axis->cluster_of_ = std::move(clusters.of_context);
    for (int c = 0; c < kClusters; ++c) {
      learn(clusters.counts[c], kDeltaCodeBits, &axis->lengths_[c]);
    }
  };
  learn_axis(x_, &model->x_);
  learn_axis(y_, &model->y_);
  for (int c = 0; c < kCountContexts; ++c) {
    learn(count_[c], kCountCodeBits, &model->count_lengths_[c]);
  }
  model->BuildTables();
  return model;
}

uint64_t StrokeModelTrainer::CodedBits(const StrokeModel& model) const {
  uint64_t bits = 0;
  const auto add = [&](const std::vector<DeltaCounts>& contexts,
                       const DeltaCodes& codes) {
    for (int c = 0; c < static_cast<int>(contexts.size()); ++c) {
      for (int s = 0; s < kDeltaSymbols; ++s) {
        bits += uint64_t{contexts[c][s]} * codes.CodeOf(c, s).length;
      }
    }
  };
  add(x_, model.x());
  add(y_, model.y());
  for (int c = 0; c < kCountContexts; ++c) {
    for (int s = 0; s < kCountSymbols; ++s) {
      bits += uint64_t{count_[c][s]} * model.CountCode(c, s).length;
    }
  }
  return bits;
}

}  // namespace inkstream::store
