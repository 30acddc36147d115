#include "server/batch/resolved_view.h"

#include <algorithm>
#include <limits>
#include <thread>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/batch/nearest_name.h"

namespace inkstream::batch {
namespace {

constexpr uint64_t kDrawingsAThread = 2'000'000;

absl::StatusOr<const store::SplitInfo*> FindSplit(const store::StoreInfo& info,
                                                  const std::string& name) {
  std::vector<std::string> names;
  for (const store::SplitInfo& split : info.splits) {
    if (split.name == name) return &split;
    names.push_back(split.name);
  }
  return absl::NotFoundError(absl::StrCat("view.split: there is no split ",
                                          Quoted(name),
                                          NearestHint(name, names)));
}

// Label in the view by label in the store; -1 for a class that is left out.
absl::StatusOr<std::vector<int32_t>> LabelsOf(
    const store::StoreInfo& info, const std::vector<std::string>& classes) {
  std::unordered_map<std::string, int32_t> store_labels;
  for (size_t i = 0; i < info.classes.size(); ++i) {
    store_labels.emplace(info.classes[i], static_cast<int32_t>(i));
  }
  std::vector<int32_t> labels(info.classes.size(), -1);
  for (size_t i = 0; i < classes.size(); ++i) {
    const auto found = store_labels.find(classes[i]);
    if (found == store_labels.end()) {
      return absl::NotFoundError(absl::StrCat(
          "view.classes[", i, "]: there is no class ", Quoted(classes[i]),
          NearestHint(classes[i], info.classes)));
    }
    if (labels[found->second] != -1) {
      return absl::InvalidArgumentError(
          absl::StrCat("view.classes[", i, "]: ", Quoted(classes[i]),
                       " is named twice; name each class once"));
    }
    labels[found->second] = static_cast<int32_t>(i);
  }
  return labels;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const ResolvedView>> ResolvedView::Create(
    const store::StoreReader& store, const View& view, int threads) {
  const store::StoreInfo& info = store.info();
  std::shared_ptr<ResolvedView> resolved(new ResolvedView());
  const store::SplitInfo* split = nullptr;
  resolved->order_.split_rule = "all";
  if (!view.split.empty()) {
    absl::StatusOr<const store::SplitInfo*> found = FindSplit(info, view.split);
    if (!found.ok()) return found.status();
    split = *found;
    resolved->order_.split_rule = split->rule;
    if (split->drawings == info.drawings) split = nullptr;
  }
  resolved->classes_ = info.classes;
  resolved->class_counts_ = info.class_counts;
  if (!view.classes.empty()) {
    absl::StatusOr<std::vector<int32_t>> labels = LabelsOf(info, view.classes);
    if (!labels.ok()) return labels.status();
    resolved->labels_ = *std::move(labels);
    resolved->classes_ = view.classes;
    resolved->order_.classes = view.classes;
  }
  if (split == nullptr && view.classes.empty()) {
    resolved->order_.size = info.drawings;
  } else {
    resolved->Scan(store, split, threads);
  }
  return std::shared_ptr<const ResolvedView>(std::move(resolved));
}

void ResolvedView::Scan(const store::StoreReader& store,
                        const store::SplitInfo* split, int threads) {
  const uint64_t drawings = store.size();
  const size_t split_number =
      split == nullptr ? 0 : split - store.info().splits.data();
  std::vector<uint64_t> words((drawings + 63) / 64);
  const uint64_t parts = std::clamp<uint64_t>(drawings / kDrawingsAThread, 1,
                                              std::max(1, threads));
  std::vector<std::vector<uint64_t>> counts(
      parts, std::vector<uint64_t>(classes_.size()));
  const auto scan_part = [&](uint64_t part) {
    const uint64_t first_word = words.size() * part / parts;
    const uint64_t last_word = words.size() * (part + 1) / parts;
    for (uint64_t w = first_word; w < last_word; ++w) {
      const uint64_t end = std::min(drawings, 64 * (w + 1));
      uint64_t word = 0;
      for (uint64_t index = 64 * w; index < end; ++index) {
        if (split != nullptr && !store.InSplit(split_number, index)) continue;
        const int32_t label = LabelOf(store.Label(index));
        if (label < 0 && !labels_.empty()) continue;
        if (label >= 0) ++counts[part][label];
        word |= uint64_t{1} << (index % 64);
      }
      words[w] = word;
    }
  };
  std::vector<std::thread> helpers;
  for (uint64_t part = 1; part < parts; ++part) {
    helpers.emplace_back(scan_part, part);
  }
  scan_part(0);
  for (std::thread& helper : helpers) helper.join();
  class_counts_.assign(classes_.size(), 0);
  for (const std::vector<uint64_t>& part : counts) {
    for (size_t i = 0; i < part.size(); ++i) class_counts_[i] += part[i];
  }
  members_.emplace(std::move(words));
  order_.size = members_->size();
}

size_t ResolvedView::bytes() const {
  size_t bytes = sizeof(*this) + 4 * labels_.size() + 8 * class_counts_.size();
  if (members_.has_value()) bytes += members_->bytes();
  for (const std::string& word : classes_) bytes += sizeof(word) + word.size();
  return bytes;
}

}  // namespace inkstream::batch
