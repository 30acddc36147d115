// A view of one store, resolved: which drawings, in index order, and what
// their labels are called.
//
// A view of everything costs nothing; any other one is a bitmap, built by one
// scan of the columns that its terms name.
//
// Thread safety: immutable after construction. Holds no store open.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "inkstream/plan.h"
#include "server/batch/view/key_set.h"
#include "server/batch/view/rank_select.h"
#include "server/batch/view/size_columns.h"
#include "server/batch/view/view_scan.h"
#include "server/order/order_plan.h"
#include "server/store/store_reader.h"

namespace inkstream::batch {

// What resolving takes beside the store and the view.
struct ViewInputs {
  int threads = 1;
  std::shared_ptr<const KeySet> include;  // where the view names one
  std::shared_ptr<const KeySet> exclude;
  // Asked for only by terms on strokes or points.
  std::function<absl::StatusOr<std::shared_ptr<const SizeColumns>>()> sizes;
  // Asked before so many bytes are allocated; an error refuses the view.
  std::function<absl::Status(size_t bytes)> admit;
};

class ResolvedView {
 public:
  // NOT_FOUND: no such split, class, word or countrycode; names the nearest.
  // INVALID_ARGUMENT: a term that is none; names field, value and choices.
  static absl::StatusOr<std::shared_ptr<const ResolvedView>> Create(
      const store::StoreReader& store, const View& view,
      const ViewInputs& inputs);

  // What both views of the store have, labelled as in `outer`. order_view() is
  // that of `inner`, with the size of what both have.
  static std::shared_ptr<const ResolvedView> Within(
      const store::StoreReader& store, const ResolvedView& outer,
      const ResolvedView& inner);

  uint64_t size() const { return order_.size; }

  // Store index of the view's `rank`-th drawing. REQUIRES: rank < size().
  uint64_t IndexOf(uint64_t rank) const {
    return members_.has_value() ? members_->Select(rank) : rank;
  }

  // Whether the drawing at this store index is in the view.
  bool Contains(uint64_t index) const {
    return !members_.has_value() || members_->Contains(index);
  }

  // Which of drawings [64 * word, 64 * word + 64) are in the view, one a bit.
  // REQUIRES: they are in the store.
  uint64_t MembersOf(uint64_t word) const {
    return members_.has_value() ? members_->words()[word] : ~uint64_t{0};
  }

  // Label in the view of a label in the store (-1: none); -1: none, or a class
  // that the view does not name.
  int32_t LabelOf(int32_t store_label) const {
    if (labels_.empty() || store_label < 0) return store_label;
    return labels_[store_label];
  }

  const std::vector<std::string>& classes() const { return classes_; }
  const std::vector<uint64_t>& class_counts() const { return class_counts_; }

  // What the order plan's hash covers.
  const order::ResolvedView& order_view() const { return order_; }

  // Memory held.
  size_t bytes() const;

 private:
  ResolvedView() = default;

  absl::Status Compile(const store::StoreReader& store, const View& view,
                       const ViewInputs& inputs, ViewFilter* filter);

  order::ResolvedView order_;
  std::vector<std::string> classes_;    // label order
  std::vector<uint64_t> class_counts_;  // same order
  std::vector<int32_t> labels_;         // by store label; empty: unchanged
  std::optional<RankSelect> members_;   // nullopt: every drawing
};

}  // namespace inkstream::batch
