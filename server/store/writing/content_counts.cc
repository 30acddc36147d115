#include "server/store/writing/content_counts.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/store/class_names.h"
#include "server/store/writing/split_hash.h"

namespace inkstream::store {
namespace {

constexpr char kMixedOrigins[] = "listed";

bool HasRange(const SplitInfo& split) { return !split.rule.empty(); }

uint64_t MemberNumber(const Digest& hash) {
  uint64_t number = 0;
  std::memcpy(&number, hash.data(), sizeof(number));
  return number;
}

void CountDeltas(const DrawingFacts& facts, bool remove, DeltaSums* sums) {
  remove ? sums->Subtract(*facts.deltas) : sums->Add(*facts.deltas);
}

// The rule of a split as StoreInfo has it, less who is listed.
std::string RangeRule(const SplitInfo& split) {
  if (split.listed_by.empty()) return split.rule;
  if (!absl::StartsWith(split.rule, "hash:")) return "";
  return split.rule.substr(0, split.rule.find('+'));
}

std::string WholeRule(const SplitInfo& split) {
  if (split.listed_by.empty()) return split.rule;
  return absl::StrFormat("%s%s%s:%016x", split.rule,
                         split.rule.empty() ? "" : "+", split.listed_by,
                         split.members);
}

}  // namespace

ContentCounts::ContentCounts(std::vector<SplitInfo> splits,
                             std::string listed_by)
    : listed_by_(std::move(listed_by)), splits_(std::move(splits)) {}

ContentCounts::ContentCounts(const StoreInfo& base, std::string listed_by)
    : listed_by_(std::move(listed_by)) {
  for (const SplitInfo& split : base.splits) {
    const std::string rule = RangeRule(split);
    if (rule.empty()) continue;
    SplitInfo& range = splits_.emplace_back();
    range.name = split.name;
    range.rule = rule;
    range.low = split.low;
    range.high = split.high;
  }
  if (splits_.empty()) splits_ = *MakeSplits({});
  AddStore(base);
}

void ContentCounts::AddStore(const StoreInfo& other) {
  deltas_unknown_ |= other.drawings > 0 && other.deltas.values == 0;
  info_.drawings += other.drawings;
  info_.unlabelled += other.unlabelled;
  info_.with_countrycode += other.with_countrycode;
  info_.with_timestamp += other.with_timestamp;
  info_.with_recognized += other.with_recognized;
  info_.with_key_id += other.with_key_id;
  info_.with_times += other.with_times;
  info_.deltas.Add(other.deltas);
  for (size_t c = 0; c < other.classes.size(); ++c) {
    words_[other.classes[c]] += other.class_counts[c];
  }
  last_count_ = nullptr;
  TakeSplits(other);
}

void ContentCounts::TakeSplits(const StoreInfo& from) {
  for (const SplitInfo& split : from.splits) {
    SplitInfo& into = SplitNamed(split.name);
    into.drawings += split.drawings;
    into.members += split.members;
    into.deltas.Add(split.deltas);
    if (into.listed_by.empty()) {
      into.listed_by = split.listed_by;
    } else if (!split.listed_by.empty() && into.listed_by != split.listed_by) {
      into.listed_by = kMixedOrigins;
    }
  }
}

SplitInfo& ContentCounts::SplitNamed(absl::string_view name) {
  if (last_listed_ < splits_.size() && splits_[last_listed_].name == name) {
    return splits_[last_listed_];
  }
  last_listed_ = 0;
  while (last_listed_ < splits_.size() && splits_[last_listed_].name != name) {
    ++last_listed_;
  }
  if (last_listed_ == splits_.size()) {
    splits_.emplace_back().name = std::string(name);
  }
  return splits_[last_listed_];
}

void ContentCounts::Count(const Drawing& drawing, const DrawingFacts& facts,
                          bool remove) {
  const uint64_t one = remove ? ~uint64_t{0} : 1;  // modulo 2^64
  info_.drawings += one;
  if (!drawing.word) {
    info_.unlabelled += one;
  } else {
    if (last_count_ == nullptr || last_word_ != *drawing.word) {
      last_word_ = *drawing.word;
      last_count_ = &words_[last_word_];
    }
    *last_count_ += one;
  }
  if (drawing.countrycode) info_.with_countrycode += one;
  if (drawing.timestamp) info_.with_timestamp += one;
  if (drawing.recognized) info_.with_recognized += one;
  if (drawing.key_id) info_.with_key_id += one;
  if (!drawing.raw.empty()) info_.with_times += one;
  CountDeltas(facts, remove, &info_.deltas);
  if (drawing.split) {
    CountListed(*drawing.split, facts, remove);
  } else {
    CountRanges(facts, remove);
  }
}

void ContentCounts::CountListed(const std::string& name,
                                const DrawingFacts& facts, bool remove) {
  SplitInfo& split = SplitNamed(name);
  split.drawings += remove ? ~uint64_t{0} : 1;
  split.members +=
      remove ? 0 - MemberNumber(*facts.hash) : MemberNumber(*facts.hash);
  CountDeltas(facts, remove, &split.deltas);
  if (split.listed_by.empty()) {
    split.listed_by = listed_by_;
  } else if (split.listed_by != listed_by_) {
    split.listed_by = kMixedOrigins;
  }
}

void ContentCounts::CountRanges(const DrawingFacts& facts, bool remove) {
  for (SplitInfo& split : splits_) {
    if (!HasRange(split) || !InSplit(split, facts.split_hash)) continue;
    split.drawings += remove ? ~uint64_t{0} : 1;
    CountDeltas(facts, remove, &split.deltas);
  }
}

void ContentCounts::Add(const EncodedUnit& unit) {
  const ColumnBatch& columns = unit.columns;
  const auto has = [&](size_t i, ColumnKind kind) -> uint64_t {
    return columns.Has(i, kind);
  };
  const auto rank = [&](size_t i, ColumnKind kind) {
    return columns.values[static_cast<size_t>(kind)][i];
  };
  std::vector<uint64_t> of_word(unit.words.size());
  info_.drawings += unit.size();
  for (size_t i = 0; i < unit.size(); ++i) {
    if (has(i, ColumnKind::kWord)) {
      ++of_word[rank(i, ColumnKind::kWord)];
    } else {
      ++info_.unlabelled;
    }
    info_.with_countrycode += has(i, ColumnKind::kCountrycode);
    info_.with_timestamp += has(i, ColumnKind::kTimestamp);
    info_.with_recognized += has(i, ColumnKind::kRecognized);
    info_.with_key_id += has(i, ColumnKind::kKeyId);
    info_.with_times += unit.raw[i];
    info_.deltas.Add(unit.deltas[i]);
    const DrawingFacts facts{unit.split_hashes[i], &unit.hashes[i],
                             &unit.deltas[i]};
    if (has(i, ColumnKind::kSplit)) {
      CountListed(unit.splits[rank(i, ColumnKind::kSplit)], facts, false);
    } else {
      CountRanges(facts, false);
    }
  }
  for (size_t w = 0; w < of_word.size(); ++w) {
    last_word_ = unit.words[w];
    last_count_ = &words_[last_word_];
    *last_count_ += of_word[w];
  }
}

void ContentCounts::Add(const Drawing& drawing, const DrawingFacts& facts) {
  Count(drawing, facts, false);
}

void ContentCounts::Remove(const Drawing& drawing, const DrawingFacts& facts) {
  Count(drawing, facts, true);
}

absl::Status ContentCounts::CheckLimits() const {
  if (words_.size() > kMaxClasses) {
    return absl::InvalidArgumentError(
        absl::StrCat("word: more than ", kMaxClasses,
                     " different ones, the limit of a store, such as '",
                     last_word_, "'; is this column the class of a drawing?"));
  }
  if (splits_.size() > kMaxSplits) {
    return absl::InvalidArgumentError(
        absl::StrCat("split: more than ", kMaxSplits,
                     " different ones, the limit of a store, such as '",
                     splits_.back().name, "'"));
  }
  return absl::OkStatus();
}

void ContentCounts::FillIn(StoreInfo* info) const {
  std::map<std::string, uint64_t> classes;
  for (const auto& [word, count] : words_) classes[ClassOfWord(word)] += count;
  info->drawings = info_.drawings;
  info->unlabelled = info_.unlabelled;
  info->with_countrycode = info_.with_countrycode;
  info->with_timestamp = info_.with_timestamp;
  info->with_recognized = info_.with_recognized;
  info->with_key_id = info_.with_key_id;
  info->with_times = info_.with_times;
  info->has_times = info_.with_times > 0;
  info->deltas = deltas_unknown_ ? DeltaSums() : info_.deltas;
  info->delta_std = info->deltas.Std();
  info->splits = splits_;
  std::vector<SplitInfo>& splits = info->splits;
  // Nobody asked for the split of the rest, and there is no rest.
  if (splits.size() > 1 && splits[0].rule == kEverythingRule &&
      splits[0].drawings == 0) {
    splits.erase(splits.begin());
  }
  const auto listed = std::find_if_not(splits.begin(), splits.end(), HasRange);
  std::sort(listed, splits.end(), [](const SplitInfo& a, const SplitInfo& b) {
    return a.name < b.name;
  });
  info->listed_splits = false;
  for (SplitInfo& split : splits) {
    info->listed_splits |= !split.listed_by.empty();
    split.rule = WholeRule(split);
    if (deltas_unknown_) split.deltas = DeltaSums();
    split.delta_std = split.deltas.Std();
  }
  info->classes.clear();
  info->class_counts.clear();
  for (const auto& [name, count] : classes) {
    info->classes.push_back(name);
    info->class_counts.push_back(count);
  }
}

}  // namespace inkstream::store
