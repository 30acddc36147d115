#include "server/layout/drawing_tools.h"

namespace inkstream::layout {
namespace {

template <typename Key, typename Value, typename Make>
absl::StatusOr<Value*> FindOrMake(RecentlyUsed<Key, Value>* kept,
                                  const Key& key, const Make& make) {
  if (Value* const found = kept->Find(key)) return found;
  absl::StatusOr<std::unique_ptr<Value>> made = make();
  if (!made.ok()) return made.status();
  return kept->Put(key, *std::move(made));
}

// Tools come as values or as pointers.
template <typename Value>
absl::StatusOr<std::unique_ptr<Value>> Boxed(absl::StatusOr<Value> made) {
  if (!made.ok()) return made.status();
  return std::make_unique<Value>(*std::move(made));
}

}  // namespace

absl::StatusOr<raster::DrawingTensors> DrawingTools::Of(
    const LayoutRecipe& recipe) {
  raster::DrawingTensors tools;
  tools.views = recipe.layout.views();
  if (recipe.image.has_value()) {
    const auto rasterizer = FindOrMake(&rasterizers_, *recipe.image, [&] {
      return make_(*recipe.image, recipe.max_image_side);
    });
    if (!rasterizer.ok()) return rasterizer.status();
    tools.rasterizer = *rasterizer;
  }
  if (recipe.strokes.has_value()) {
    const std::pair key(*recipe.strokes, recipe.dataset_std);
    const auto tensor = FindOrMake(&tensors_, key, [&] {
      return Boxed(raster::StrokeTensor::Create(key.first, key.second,
                                                recipe.max_stroke_len));
    });
    if (!tensor.ok()) return tensor.status();
    tools.stroke_tensor = *tensor;
    tools.ragged = recipe.layout.ragged();
  }
  if (recipe.augment.has_value()) {
    const auto augmenter = FindOrMake(&augmenters_, *recipe.augment, [&] {
      return Boxed(raster::Augmenter::Create(*recipe.augment));
    });
    if (!augmenter.ok()) return augmenter.status();
    tools.augmenter = *augmenter;
  }
  return tools;
}

}  // namespace inkstream::layout
