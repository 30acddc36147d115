// A view and what its order draws from: the whole of it, its classes, the views
// of a mix within it, or its drawings by their weights.
//
// Thread safety: immutable after construction.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "inkstream/order_spec.h"
#include "inkstream/view.h"
#include "server/batch/view/class_index.h"
#include "server/batch/view/resolved_view.h"
#include "server/batch/view/weighted_drawings.h"
#include "server/order/epoch_order.h"
#include "server/order/mixture.h"
#include "server/order/order_plan.h"
#include "server/store/store_reader.h"

namespace inkstream::batch {

class ViewCache;

class SampledView {
 public:
  // Errors of the views and of the sampling; those of a mix name the view.
  static absl::StatusOr<std::shared_ptr<const SampledView>> Create(
      ViewCache* views, const store::StoreReader& store, const View& view,
      const Sampling& sampling);
  // Everything of a view, once.
  explicit SampledView(std::shared_ptr<const ResolvedView> view);

  const std::shared_ptr<const ResolvedView>& view() const { return view_; }
  const std::shared_ptr<const order::Mixture>& mixture() const {
    return mixture_;
  }
  // Positions of an epoch.
  uint64_t size() const { return mixture_->size; }

  // Store index of what stands at a position of an order of mixture().
  uint64_t IndexOf(const order::Pick& pick) const {
    if (classes_ != nullptr) {
      return classes_->IndexOf(pick.component, pick.rank);
    }
    if (weighted_ != nullptr) return weighted_->IndexOf(pick.rank);
    return parts_.empty() ? view_->IndexOf(pick.rank)
                          : parts_[pick.component]->IndexOf(pick.rank);
  }

  // What tells this view's appearances of a drawing within an epoch apart: its
  // occurrence, and which view of a mix it is drawn from.
  uint64_t OccurrenceOf(const order::Pick& pick) const {
    return parts_.empty() ? pick.occurrence
                          : pick.occurrence * parts_.size() + pick.component;
  }

  // The canonical text of an order plan over this view.
  std::string OrderPlan(const OrderSpec& spec) const;

 private:
  std::shared_ptr<const ResolvedView> view_;
  std::shared_ptr<const ClassIndex> classes_;               // by class
  std::shared_ptr<const WeightedDrawings> weighted_;        // by drawing
  std::vector<std::shared_ptr<const ResolvedView>> parts_;  // of a mix
  std::vector<order::ResolvedView> part_orders_;
  std::shared_ptr<const order::Mixture> mixture_;
};

}  // namespace inkstream::batch
