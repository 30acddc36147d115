#include "server/batch/view/resolved_view.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "server/base/nearest_name.h"
#include "server/batch/view/split_slice.h"
#include "server/batch/view/where_filter.h"

namespace inkstream::batch {
namespace {

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
  absl::StatusOr<HashFilter> hashes = CompileHashes(info, view, &order_);
  if (!hashes.ok()) return hashes.status();
  static_cast<HashFilter&>(*filter) = *hashes;
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

size_t ResolvedView::bytes() const {
  size_t bytes = sizeof(*this) + 4 * labels_.size() + 8 * class_counts_.size();
  if (members_.has_value()) bytes += members_->bytes();
  for (const std::string& word : classes_) bytes += sizeof(word) + word.size();
  return bytes;
}

}  // namespace inkstream::batch
