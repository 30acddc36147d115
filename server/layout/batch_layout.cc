#include "server/layout/batch_layout.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/nearest_name.h"
#include "server/raster/tensor/stroke_tensor.h"

namespace inkstream::layout {
namespace {

struct Column {
  const char* name;
  Field field;
};

constexpr Column kColumns[] = {
    {"label", Field::kLabel},
    {"word", Field::kWord},
    {"countrycode", Field::kCountrycode},
    {"timestamp", Field::kTimestamp},
    {"recognized", Field::kRecognized},
    {"key_id", Field::kKeyId},
};

// Names of the columns a request may list.
std::vector<std::string> OfferedColumns() {
  std::vector<std::string> names;
  for (const Column& column : kColumns) names.emplace_back(column.name);
  names.insert(names.end(), {"index", "valid"});
  return names;
}

// nullopt: there is no such column.
std::optional<Field> FieldNamed(absl::string_view name) {
  if (name == "index") return Field::kIndex;
  if (name == "valid") return Field::kValid;
  for (const Column& column : kColumns) {
    if (name == column.name) return column.field;
  }
  return std::nullopt;
}

uint64_t RoundUp(uint64_t bytes) {
  return (bytes + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment;
}

absl::Status CheckSide(const char* field, uint32_t side, uint32_t limit) {
  if (side >= 1 && side <= limit) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("delivery.image.", field, ": ",
                                                 side, " is not in 1..", limit,
                                                 " pixels (max_image_side)"));
}

}  // namespace

bool IsColumn(Field field) {
  return std::any_of(std::begin(kColumns), std::end(kColumns),
                     [field](const Column& c) { return c.field == field; });
}

void BatchLayout::Add(Field field, Tensor tensor) {
  fields_.push_back(field);
  tensors_.push_back(std::move(tensor));
}

absl::StatusOr<BatchLayout> BatchLayout::Create(const DeliverySpec& delivery,
                                                const BatchLimits& limits) {
  if (delivery.batch_size < 1 || delivery.batch_size > limits.max_batch_size) {
    return absl::InvalidArgumentError(absl::StrCat(
        "delivery.batch_size: ", delivery.batch_size, " is not in 1..",
        limits.max_batch_size, " drawings (max_batch_size)"));
  }
  if (delivery.views < 1 || delivery.views > limits.max_views) {
    return absl::InvalidArgumentError(
        absl::StrCat("delivery.views: ", delivery.views, " is not in 1..",
                     limits.max_views, " copies of a drawing (max_views)"));
  }
  BatchLayout layout;
  layout.views_ = delivery.views;
  absl::Status status;
  if (delivery.image.has_value()) {
    status.Update(layout.AddImage(*delivery.image, limits));
  }
  if (delivery.strokes.has_value()) {
    status.Update(layout.AddStrokes(*delivery.strokes, limits));
  }
  status.Update(layout.AddColumns(delivery.columns));
  if (!status.ok()) return status;
  layout.Add(Field::kIndex, {"index", DType::kInt64, {}, 8});
  layout.Add(Field::kValid, {"valid", DType::kBool, {}, 1});
  if (layout.ragged_) {
    layout.Add(Field::kStrokes,
               {"strokes",
                delivery.strokes->dtype,
                {layout.stroke_row_bytes_ /
                 static_cast<int64_t>(SizeOf(delivery.strokes->dtype))},
                layout.stroke_row_bytes_,
                uint64_t{layout.views_} * layout.max_stroke_rows_});
  }
  status = layout.CheckSize(delivery.batch_size, limits.max_batch_bytes);
  if (!status.ok()) return status;
  return layout;
}

absl::Status BatchLayout::AddImage(const ImageSpec& image,
                                   const BatchLimits& limits) {
  absl::Status status =
      CheckSide("height", image.height, limits.max_image_side);
  status.Update(CheckSide("width", image.width, limits.max_image_side));
  if (!status.ok()) return status;
  const int64_t channels = static_cast<int64_t>(image.channels.size());
  uint64_t bytes = 0;
  if (__builtin_mul_overflow(uint64_t{image.height} * image.width,
                             channels * SizeOf(image.dtype), &bytes) ||
      __builtin_mul_overflow(bytes, uint64_t{views_}, &bytes)) {
    return absl::InvalidArgumentError("delivery.image: too large to count");
  }
  std::vector<int64_t> shape = {channels, image.height, image.width};
  if (image.layout == Layout::kNhwc) {
    shape = {image.height, image.width, channels};
  }
  Add(Field::kImage, {"image", image.dtype, WithViews(shape), bytes});
  return absl::OkStatus();
}

absl::Status BatchLayout::AddStrokes(const StrokesSpec& strokes,
                                     const BatchLimits& limits) {
  // The dataset's scale does not change sizes; 1 stands for it.
  absl::StatusOr<raster::StrokeTensor> tensor =
      raster::StrokeTensor::Create(strokes, 1, limits.max_stroke_len);
  if (!tensor.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("delivery.", tensor.status().message()));
  }
  ragged_ = strokes.ragged;
  max_stroke_rows_ = tensor->padded_rows();
  stroke_row_bytes_ = static_cast<uint32_t>(tensor->row_bytes());
  if (!ragged_) {
    Add(Field::kStrokes, {"strokes", strokes.dtype,
                          WithViews({max_stroke_rows_, tensor->columns()}),
                          uint64_t{views_} * tensor->padded_bytes()});
  }
  Add(Field::kLength,
      {"length", DType::kInt64, WithViews({}), 8 * uint64_t{views_}});
  if (ragged_) {
    Add(Field::kOffsets, {"offsets", DType::kInt64, {}, 8, views_, 1});
  }
  return absl::OkStatus();
}

absl::Status BatchLayout::AddColumns(const std::vector<std::string>& columns) {
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string& name = columns[i];
    const std::optional<Field> field = FieldNamed(name);
    if (!field.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("delivery.columns[", i, "]: there is no column ",
                       Quoted(name), NearestHint(name, OfferedColumns())));
    }
    if (!IsColumn(*field)) continue;  // always there
    if (std::find(fields_.begin(), fields_.end(), *field) != fields_.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("delivery.columns[", i, "]: \"", name,
                       "\" is named twice; name each column once"));
    }
    Add(*field, {name, DType::kInt64, {}, 8});
  }
  return absl::OkStatus();
}

absl::Status BatchLayout::CheckSize(uint32_t rows, uint64_t limit) const {
  uint64_t total = 0;
  for (const Tensor& tensor : tensors_) {
    uint64_t bytes = 0;
    if (__builtin_mul_overflow(tensor.bytes, tensor.Count(rows), &bytes) ||
        __builtin_add_overflow(bytes, total, &total) ||
        __builtin_add_overflow(kTensorAlignment, total, &total) ||
        total > limit) {
      return absl::InvalidArgumentError(absl::StrCat(
          "delivery: a batch of ", rows, " drawings is larger than ", limit,
          " bytes (max_batch_bytes); \"", tensor.name, "\" takes ",
          tensor.bytes * tensor.per_row,
          " bytes a drawing: ask for a smaller batch_size or image, or for "
          "fewer points or views"));
    }
  }
  return absl::OkStatus();
}

std::vector<int64_t> BatchLayout::WithViews(std::vector<int64_t> shape) const {
  if (views_ > 1) shape.insert(shape.begin(), views_);
  return shape;
}

uint64_t BatchLayout::Bytes(uint32_t rows) const {
  uint64_t total = 0;
  for (const Tensor& tensor : tensors_) total += RoundUp(tensor.Length(rows));
  return total;
}

std::vector<TensorInfo> BatchLayout::Tensors(uint32_t rows) const {
  std::vector<TensorInfo> infos;
  infos.reserve(tensors_.size());
  uint64_t offset = 0;
  for (const Tensor& tensor : tensors_) {
    TensorInfo& info = infos.emplace_back();
    info.name = tensor.name;
    info.dtype = tensor.dtype;
    info.shape = {static_cast<int64_t>(tensor.Count(rows))};
    info.shape.insert(info.shape.end(), tensor.shape.begin(),
                      tensor.shape.end());
    info.offset = offset;
    info.length = tensor.Length(rows);
    offset += RoundUp(info.length);
  }
  return infos;
}

}  // namespace inkstream::layout
