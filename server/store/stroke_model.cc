#include "server/store/stroke_model.h"

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/store/prefix_code.h"
#include "server/store/stroke_walk.h"

namespace inkstream::store {
namespace {

constexpr size_t kLengths = size_t{kXContexts + kYContexts} * kDeltaSymbols +
                            size_t{kCountContexts} * kCountSymbols;
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

template <size_t kSymbols>
bool BuildDeltaContext(const std::array<uint8_t, kSymbols>& lengths,
                       bool reversed, std::array<Code, kSymbols>* codes,
                       DeltaStep* steps) {
  if (!IsCompleteCode(lengths, kDeltaCodeBits)) return false;
  const std::vector<uint16_t> forward = CanonicalCodes(lengths);
  for (size_t s = 0; s < kSymbols; ++s) {
    (*codes)[s] = {reversed ? ReversedBits(forward[s], lengths[s]) : forward[s],
                   lengths[s]};
  }
  FillSteps(lengths, forward, kDeltaCodeBits, reversed, steps, [&](size_t s) {
    return DeltaStep{lengths[s], kDeltaBuckets[s].extra_bits,
                     static_cast<uint8_t>(kDeltaBuckets[s].base),
                     static_cast<uint8_t>(s)};
  });
  return true;
}

}  // namespace

bool StrokeModel::BuildTables() {
  for (int c = 0; c < kXContexts; ++c) {
    if (!BuildDeltaContext(x_lengths_[c], false, &x_codes_[c],
                           x_steps_[c].data())) {
      return false;
    }
  }
  for (int c = 0; c < kYContexts; ++c) {
    if (!BuildDeltaContext(y_lengths_[c], true, &y_codes_[c],
                           y_steps_[c].data())) {
      return false;
    }
  }
  for (int c = 0; c < kCountContexts; ++c) {
    const CountLengths& lengths = count_lengths_[c];
    if (!IsCompleteCode(lengths, kCountCodeBits)) return false;
    const std::vector<uint16_t> codes = CanonicalCodes(lengths);
    for (int s = 0; s < kCountSymbols; ++s) {
      count_codes_[c][s] = {codes[s], lengths[s]};
    }
    FillSteps(lengths, codes, kCountCodeBits, false, count_steps_[c].data(),
              [&](size_t s) {
                return CountStep{lengths[s], kCountBuckets[s].extra_bits,
                                 static_cast<uint16_t>(kCountBuckets[s].base)};
              });
  }
  return true;
}

std::string StrokeModel::Serialize() const {
  std::vector<uint8_t> all;
  for (const DeltaLengths& l : x_lengths_)
    all.insert(all.end(), l.begin(), l.end());
  for (const DeltaLengths& l : y_lengths_)
    all.insert(all.end(), l.begin(), l.end());
  for (const CountLengths& l : count_lengths_) {
    all.insert(all.end(), l.begin(), l.end());
  }
  std::string out(kLengths / 2, '\0');
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<char>(all[2 * i] | all[2 * i + 1] << 4);
  }
  return out;
}

absl::StatusOr<std::shared_ptr<const StrokeModel>> StrokeModel::Parse(
    absl::string_view bytes) {
  if (bytes.size() != kLengths / 2) {
    return absl::DataLossError(absl::StrCat("stroke model: expected ",
                                            kLengths / 2, " bytes, found ",
                                            bytes.size()));
  }
  size_t at = 0;
  const auto next = [&] {
    const uint8_t pair = static_cast<uint8_t>(bytes[at / 2]);
    return static_cast<uint8_t>(at++ % 2 == 0 ? pair & 15 : pair >> 4);
  };
  std::shared_ptr<StrokeModel> model(new StrokeModel());
  for (DeltaLengths& l : model->x_lengths_) {
    for (uint8_t& length : l) length = next();
  }
  for (DeltaLengths& l : model->y_lengths_) {
    for (uint8_t& length : l) length = next();
  }
  for (CountLengths& l : model->count_lengths_) {
    for (uint8_t& length : l) length = next();
  }
  if (!model->BuildTables()) {
    return absl::DataLossError(
        "stroke model: the lengths are not those of a complete prefix code");
  }
  return model;
}

void StrokeModelTrainer::Add(const Drawing& drawing) {
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
  WalkStrokes(drawing.strokes(), counter);
}

std::shared_ptr<const StrokeModel> StrokeModelTrainer::Train() const {
  std::shared_ptr<StrokeModel> model(new StrokeModel());
  const auto learn = [](const auto& counts, int max_bits, auto& lengths) {
    const std::vector<uint8_t> best = OptimalCodeLengths(counts, max_bits);
    std::copy(best.begin(), best.end(), lengths.begin());
  };
  for (int c = 0; c < kXContexts; ++c) {
    learn(x_[c], kDeltaCodeBits, model->x_lengths_[c]);
  }
  for (int c = 0; c < kYContexts; ++c) {
    learn(y_[c], kDeltaCodeBits, model->y_lengths_[c]);
  }
  for (int c = 0; c < kCountContexts; ++c) {
    learn(count_[c], kCountCodeBits, model->count_lengths_[c]);
  }
  model->BuildTables();
  return model;
}

}  // namespace inkstream::store
