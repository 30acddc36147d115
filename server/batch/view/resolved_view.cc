#include "server/batch/view/resolved_view.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "server/base/nearest_name.h"
#include "server/batch/view/split_slice.h"
#include "server/batch/view/where_filter.h"

namespace inkstream::batch {
namespace {

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

HashRange RangeOf(const store::SplitInfo& split) {
  constexpr uint64_t kMax = ~uint64_t{0};
  if (split.high == kMax) return {split.low, kMax, false};
  if (split.low >= split.high) return {0, 0, true};
  return {split.low, split.high - 1, false};
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

// The largest SampleHash that a fraction takes in.
absl::StatusOr<uint64_t> LastSample(double fraction) {
  if (!(fraction > 0 && fraction <= 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("view.fraction: ", fraction, " is not in (0, 1]"));
  }
  if (fraction == 1) return ~uint64_t{0};
  const double bound = std::ldexp(fraction, 64);
  return bound < 1 ? 0 : static_cast<uint64_t>(bound) - 1;
}

bool NeedsSizes(const CompiledTerm& term) {
  return term.column == WhereColumn::kStrokes ||
         term.column == WhereColumn::kPoints;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const ResolvedView>> ResolvedView::Create(
    const store::StoreReader& store, const View& view,
    const ViewInputs& inputs) {
  std::shared_ptr<ResolvedView> resolved(new ResolvedView());
  ViewFilter filter;
  absl::Status status = resolved->Compile(store, view, inputs, &filter);
  if (!status.ok()) return status;
  if (filter.everything()) {
    resolved->order_.size = store.size();
    return std::shared_ptr<const ResolvedView>(std::move(resolved));
  }
  if (inputs.admit != nullptr) {
    status =
        inputs.admit(resolved->bytes() + RankSelect::BytesOf(store.size()));
    if (!status.ok()) return status;
  }
  ScannedView scanned = ScanView(store, filter, inputs.threads);
  resolved->class_counts_ = std::move(scanned.class_counts);
  resolved->members_.emplace(std::move(scanned.words));
  resolved->order_.size = resolved->members_->size();
  return std::shared_ptr<const ResolvedView>(std::move(resolved));
}

std::shared_ptr<const ResolvedView> ResolvedView::Within(
    const store::StoreReader& store, const ResolvedView& outer,
    const ResolvedView& inner) {
  std::shared_ptr<ResolvedView> both(new ResolvedView());
  both->order_ = inner.order_;
  both->classes_ = outer.classes_;
  both->labels_ = outer.labels_;
  if (outer.members_.has_value() && inner.members_.has_value()) {
    std::vector<uint64_t> words = outer.members_->words();
    const std::vector<uint64_t>& others = inner.members_->words();
    for (size_t w = 0; w < words.size(); ++w) words[w] &= others[w];
    both->members_.emplace(std::move(words));
  } else {
    both->members_ =
        outer.members_.has_value() ? outer.members_ : inner.members_;
  }
  both->order_.size =
      both->members_.has_value() ? both->members_->size() : store.size();
  return both;
}

absl::Status ResolvedView::Compile(const store::StoreReader& store,
                                   const View& view, const ViewInputs& inputs,
                                   ViewFilter* filter) {
  const store::StoreInfo& info = store.info();
  absl::Status status = CompileHashes(store, view, filter);
  if (!status.ok()) return status;
  classes_ = info.classes;
  class_counts_ = info.class_counts;
  if (!view.classes.empty()) {
    std::vector<std::string> words = view.classes;
    for (std::string& word : words) {
      std::replace(word.begin(), word.end(), '_', ' ');
    }
    absl::StatusOr<std::vector<int32_t>> labels = LabelsOf(info, words);
    if (!labels.ok()) return labels.status();
    labels_ = *labels;
    filter->labels = *std::move(labels);
    order_.classes = words;
    classes_ = std::move(words);
  }
  filter->classes = classes_.size();
  absl::StatusOr<std::vector<CompiledTerm>> terms =
      CompileWhere(view.where, store);
  if (!terms.ok()) return terms.status();
  for (const CompiledTerm& term : *terms) order_.where.push_back(term.text);
  filter->max_per_class = order_.max_per_class = view.max_per_class;
  filter->include = inputs.include;
  filter->exclude = inputs.exclude;
  order_.include_keys = view.include_keys;
  order_.exclude_keys = view.exclude_keys;
  if (std::any_of(terms->begin(), terms->end(), NeedsSizes)) {
    if (inputs.sizes == nullptr) {
      return absl::InternalError("view.where: no sizes of drawings at hand");
    }
    absl::StatusOr<std::shared_ptr<const SizeColumns>> sizes = inputs.sizes();
    if (!sizes.ok()) return sizes.status();
    filter->sizes = *std::move(sizes);
  }
  filter->terms = *std::move(terms);
  return absl::OkStatus();
}

absl::Status ResolvedView::CompileHashes(const store::StoreReader& store,
                                         const View& view, ViewFilter* filter) {
  order_.split_rule = "all";
  absl::StatusOr<SplitSlice> slice = ParseSplitSlice(view.split);
  if (!slice.ok()) return slice.status();
  if (!slice->split.empty()) {
    absl::StatusOr<const store::SplitInfo*> split =
        FindSplit(store.info(), slice->split);
    if (!split.ok()) return split.status();
    order_.split_rule = (*split)->rule;
    const bool whole = (*split)->drawings == store.size();
    if (store.info().listed_splits) {
      // Members named by the input have hashes from all over.
      filter->by_sample = true;
      if (!whole) filter->split = *split - store.info().splits.data();
    } else if (!whole) {
      filter->hashes = RangeOf(**split);
    }
  }
  if (!slice->whole()) {
    order_.slice = slice->Text();
    filter->hashes =
        filter->hashes.Part(slice->from, slice->to, SplitSlice::kWhole);
  }
  if (view.fold.has_value()) {
    const Fold& fold = *view.fold;
    if (absl::Status status = CheckFold(fold); !status.ok()) return status;
    order_.fold = absl::StrCat(fold.index, "/", fold.count,
                               fold.held_out ? " held out" : "");
    const HashRange part =
        filter->hashes.Part(fold.index, fold.index + 1, fold.count);
    (fold.held_out ? filter->hashes : filter->fold_out) = part;
  }
  absl::StatusOr<uint64_t> last = LastSample(view.fraction);
  if (!last.ok()) return last.status();
  filter->last_sample = *last;
  order_.fraction = view.fraction;
  return absl::OkStatus();
}

size_t ResolvedView::bytes() const {
  size_t bytes = sizeof(*this) + 4 * labels_.size() + 8 * class_counts_.size();
  if (members_.has_value()) bytes += members_->bytes();
  for (const std::string& word : classes_) bytes += sizeof(word) + word.size();
  return bytes;
}

}  // namespace inkstream::batch
