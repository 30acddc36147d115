#include "server/batch/view/sampled_view.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/base/status_reason.h"
#include "server/batch/view/view_cache.h"

namespace inkstream::batch {
namespace {

constexpr size_t kMaxViews = 64;

// "view.classes[0]: ..." of the i-th view of a mix.
absl::Status OfMix(size_t i, const absl::Status& status) {
  absl::string_view text = status.message();
  absl::ConsumePrefix(&text, "view");
  absl::Status named(status.code(),
                     absl::StrCat("order.sampling.mix.views[", i, "]", text));
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    named.SetPayload(url, payload);
  });
  return named;
}

}  // namespace

SampledView::SampledView(std::shared_ptr<const ResolvedView> view)
    : view_(std::move(view)),
      mixture_(std::make_shared<const order::Mixture>(
          order::Mixture::Uniform(view_->size()))) {}

absl::StatusOr<std::shared_ptr<const SampledView>> SampledView::Create(
    ViewCache* views, const store::StoreReader& store, const View& view,
    const Sampling& sampling) {
  absl::StatusOr<std::shared_ptr<const ResolvedView>> resolved =
      views->Get(store, view);
  if (!resolved.ok()) return resolved.status();
  auto sampled = std::make_shared<SampledView>(*resolved);
  if (sampling.kind == SamplingKind::kUniform) return sampled;
  std::vector<uint64_t> sizes = (*resolved)->class_counts();
  if (sampling.kind == SamplingKind::kMix) {
    if (sampling.views.empty() || sampling.views.size() > kMaxViews) {
      return absl::InvalidArgumentError(
          absl::StrCat("order.sampling.mix.views: ", sampling.views.size(),
                       " views; 1 to ", kMaxViews));
    }
    sizes.clear();
    for (size_t i = 0; i < sampling.views.size(); ++i) {
      absl::StatusOr<std::shared_ptr<const ResolvedView>> part =
          views->GetWithin(store, view, sampling.views[i]);
      if (!part.ok()) return OfMix(i, part.status());
      if ((*part)->size() == 0) {
        return OfMix(i, absl::InvalidArgumentError(
                            "view: it has no drawings within the stream's "
                            "view (which every view of a mix is a part of)"));
      }
      sizes.push_back((*part)->size());
      sampled->part_orders_.push_back((*part)->order_view());
      sampled->parts_.push_back(*std::move(part));
    }
  }
  if (sampling.kind == SamplingKind::kDrawings) {
    absl::StatusOr<std::shared_ptr<const WeightedDrawings>> weighted =
        views->GetWeighted(store, view, sampling.drawings);
    if (!weighted.ok()) return weighted.status();
    sampled->weighted_ = *std::move(weighted);
    sampled->mixture_ = std::make_shared<const order::Mixture>(
        order::Mixture::ByDrawing(sampled->weighted_->slots()));
    return sampled;
  }
  absl::StatusOr<order::Mixture> mixture =
      order::Mixture::Create(sampling, std::move(sizes));
  if (!mixture.ok()) return mixture.status();
  sampled->mixture_ =
      std::make_shared<const order::Mixture>(*std::move(mixture));
  if (sampling.kind != SamplingKind::kMix) {
    absl::StatusOr<std::shared_ptr<const ClassIndex>> classes =
        views->GetClasses(store, view);
    if (!classes.ok()) return classes.status();
    sampled->classes_ = *std::move(classes);
  }
  return sampled;
}

std::string SampledView::OrderPlan(const OrderSpec& spec) const {
  return order::CanonicalOrderPlan(view_->order_view(), spec, part_orders_);
}

}  // namespace inkstream::batch
