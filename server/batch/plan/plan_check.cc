#include "server/batch/plan/plan_check.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "server/base/nearest_name.h"
#include "server/order/order_plan.h"
#include "server/raster/augment/augmenter.h"
#include "server/raster/tensor/image_spec_check.h"

namespace inkstream::batch {
namespace {

// What the raster room says of a spec, which to it is no field of anything.
absl::Status CheckDrawing(const DeliverySpec& delivery, const Limits& limits,
                          bool has_times) {
  absl::Status status;
  if (delivery.image.has_value()) {
    status = raster::CheckImageSpec(*delivery.image, limits.max_image_side,
                                    has_times);
  }
  if (delivery.augment.has_value()) {
    status.Update(raster::CheckAugmentSpec(*delivery.augment));
  }
  if (status.ok()) return status;
  return absl::Status(status.code(),
                      absl::StrCat("delivery.", status.message()));
}

// World, rank and what only streams have.
absl::Status CheckSharding(const DeliverySpec& delivery, const Limits& limits) {
  if (delivery.world < 1 || delivery.world > limits.max_world) {
    return absl::InvalidArgumentError(
        absl::StrCat("delivery.world: ", delivery.world, " is not in 1..",
                     limits.max_world, " ranks (max_world)"));
  }
  if (delivery.rank >= delivery.world) {
    return absl::InvalidArgumentError(
        absl::StrCat("delivery.rank: ", delivery.rank,
                     " is not below delivery.world, ", delivery.world));
  }
  if (delivery.epochs.has_value() && *delivery.epochs == 0) {
    return absl::InvalidArgumentError(
        "delivery.epochs: 0 epochs; at least 1, or forever");
  }
  return absl::OkStatus();
}

// What StrokeScale::kDataset divides by, for every view of the store: the
// standard deviation of the offsets in the split "train", so that evaluation
// is scaled as training was; that of the whole store where there is no such
// split. 0 where the spec does not ask for it. INVALID_ARGUMENT: the store
// does not know it.
absl::StatusOr<double> DatasetStd(const store::StoreReader& store,
                                  const std::optional<StrokesSpec>& spec) {
  if (!spec.has_value() || spec->scale != StrokeScale::kDataset ||
      spec->scale_value > 0) {
    return 0;
  }
  double known = store.info().delta_std;
  for (const store::SplitInfo& split : store.info().splits) {
    if (split.name == "train" && split.delta_std > 0) known = split.delta_std;
  }
  if (known > 0) return known;
  return absl::InvalidArgumentError(absl::StrCat(
      "delivery.strokes.scale is \"dataset\", but store ", Quoted(store.path()),
      " keeps no standard deviation of its offsets; offered are \"none\", "
      "\"unit\" and a number"));
}

}  // namespace

absl::StatusOr<layout::LayoutRecipe> CheckDelivery(
    const DeliverySpec& delivery, const EngineOptions& options,
    const store::StoreReader& store) {
  absl::Status status = CheckSharding(delivery, options.limits);
  if (!status.ok()) return status;
  absl::StatusOr<double> dataset_std = DatasetStd(store, delivery.strokes);
  if (!dataset_std.ok()) return dataset_std.status();
  absl::StatusOr<layout::BatchLayout> layout =
      layout::BatchLayout::Create(delivery, options.limits);
  if (!layout.ok()) return layout.status();
  const uint64_t bytes = layout->Bytes(delivery.batch_size);
  if (bytes > options.batch_memory) {
    return absl::InvalidArgumentError(absl::StrCat(
        "delivery: a batch of ", delivery.batch_size, " drawings takes ", bytes,
        " bytes; this server keeps ", options.batch_memory,
        " bytes for all batches together: ask for a smaller batch_size or "
        "image"));
  }
  const bool has_times = store.info().has_times;
  status = CheckDrawing(delivery, options.limits, has_times);
  if (!status.ok()) return status;
  if (delivery.strokes.has_value() && delivery.strokes->times && !has_times) {
    return absl::InvalidArgumentError(
        "delivery.strokes.times is true, but this dataset has no times: "
        "offered "
        "is false; times are kept of raw drawings that are ingested with "
        "--keep raw");
  }
  return layout::LayoutRecipe{
      .layout = *std::move(layout),
      .image = delivery.image,
      .strokes = delivery.strokes,
      .augment = delivery.augment,
      .dataset_std = *dataset_std,
      .max_image_side = options.limits.max_image_side,
      .max_stroke_len = options.limits.max_stroke_len,
      .skip_damaged = delivery.on_corrupt == OnCorrupt::kSkip};
}

absl::StatusOr<OpenedPlan> OpenPlan(const Plan& plan, Dataset dataset,
                                    const EngineOptions& options,
                                    ViewCache* views) {
  absl::StatusOr<layout::LayoutRecipe> recipe =
      CheckDelivery(plan.delivery, options, *dataset.store);
  if (!recipe.ok()) return recipe.status();
  recipe->seed = plan.order.seed;
  absl::StatusOr<std::shared_ptr<const SampledView>> sampled =
      SampledView::Create(views, *dataset.store, plan.view,
                          plan.order.sampling);
  if (!sampled.ok()) return sampled.status();
  Cursor start;
  start.fingerprint = dataset.store->info().fingerprint;
  start.order_plan = (*sampled)->OrderPlan(plan.order);
  start.plan_hash = order::OrderPlanHash(start.order_plan);
  start.seed = plan.order.seed;
  if (plan.start.has_value()) {
    const absl::Status status =
        order::CheckCursor(*plan.start, start.fingerprint, start.order_plan);
    if (!status.ok()) return status;
    start.epoch = plan.start->epoch;
    start.position = plan.start->position;
  }
  return OpenedPlan{std::move(dataset), *std::move(recipe), *std::move(sampled),
                    std::move(start)};
}

absl::Status CheckFetch(const FetchPlan& plan, const Limits& limits) {
  const int kinds = (plan.indices.empty() ? 0 : 1) +
                    (plan.ranks.empty() ? 0 : 1) +
                    (plan.key_ids.empty() ? 0 : 1);
  if (kinds != 1) {
    return absl::InvalidArgumentError(
        kinds == 0
            ? "give one of index, rank and key_id: none is set"
            : "give one of index, rank and key_id: more than one is set");
  }
  const size_t drawings =
      std::max({plan.indices.size(), plan.ranks.size(), plan.key_ids.size()});
  if (drawings > limits.max_fetch_indices) {
    return absl::InvalidArgumentError(absl::StrCat(
        plan.indices.empty() ? plan.ranks.empty() ? "key_id" : "rank" : "index",
        ": ", drawings, " drawings asked for; at most ",
        limits.max_fetch_indices, " a call (max_fetch_indices)"));
  }
  return absl::OkStatus();
}

absl::Status CheckDatasetName(const std::string& name) {
  const bool fits =
      !name.empty() && name.size() <= 64 &&
      std::all_of(name.begin(), name.end(), [](char c) {
        return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
      });
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("dataset name ", Quoted(name),
                   ": use 1 to 64 letters, digits, '.', '_' and '-'"));
}

}  // namespace inkstream::batch
