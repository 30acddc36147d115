#include "server/batch/batch_layout.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/batch/engine.h"
#include "server/batch/nearest_name.h"

namespace inkstream::batch {
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

uint64_t RoundUp(uint64_t bytes) {
  return (bytes + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment;
}

absl::StatusOr<Field> FieldOf(const std::string& name, size_t place) {
  for (const Column& column : kColumns) {
    if (name == column.name) return column.field;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("delivery.columns[", place, "]: there is no column ",
                   Quoted(name), NearestHint(name, OfferedColumns())));
}

absl::Status CheckSide(const char* field, uint32_t side, uint32_t limit) {
  if (side >= 1 && side <= limit) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("delivery.image.", field, ": ",
                                                 side, " is not in 1..", limit,
                                                 " pixels (max_image_side)"));
}

}  // namespace

const std::vector<std::string>& OfferedColumns() {
  static const std::vector<std::string>* const names = [] {
    auto* offered = new std::vector<std::string>();
    for (const Column& column : kColumns) offered->push_back(column.name);
    offered->push_back("index");
    offered->push_back("valid");
    return offered;
  }();
  return *names;
}

absl::StatusOr<BatchLayout> BatchLayout::Create(const DeliverySpec& delivery,
                                                const Limits& limits) {
  if (delivery.batch_size < 1 || delivery.batch_size > limits.max_batch_size) {
    return absl::InvalidArgumentError(absl::StrCat(
        "delivery.batch_size: ", delivery.batch_size, " is not in 1..",
        limits.max_batch_size, " drawings (max_batch_size)"));
  }
  BatchLayout layout;
  if (delivery.image.has_value()) {
    const ImageSpec& image = *delivery.image;
    absl::Status status =
        CheckSide("height", image.height, limits.max_image_side);
    status.Update(CheckSide("width", image.width, limits.max_image_side));
    if (!status.ok()) return status;
    const int64_t channels = static_cast<int64_t>(image.channels.size());
    uint64_t bytes = 0;
    if (__builtin_mul_overflow(uint64_t{image.height} * image.width,
                               channels * SizeOf(image.dtype), &bytes)) {
      return absl::InvalidArgumentError("delivery.image: too large to count");
    }
    std::vector<int64_t> shape = {channels, image.height, image.width};
    if (image.layout == Layout::kNhwc) {
      shape = {image.height, image.width, channels};
    }
    layout.Add(Field::kImage, {"image", image.dtype, shape, bytes});
  }
  for (size_t i = 0; i < delivery.columns.size(); ++i) {
    const std::string& name = delivery.columns[i];
    if (name == "index" || name == "valid") continue;  // always there
    absl::StatusOr<Field> field = FieldOf(name, i);
    if (!field.ok()) return field.status();
    for (const Field other : layout.fields_) {
      if (other != *field) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("delivery.columns[", i, "]: ", Quoted(name),
                       " is named twice; name each column once"));
    }
    layout.Add(*field, {name, DType::kInt64, {}, 8});
  }
  layout.Add(Field::kIndex, {"index", DType::kInt64, {}, 8});
  layout.Add(Field::kValid, {"valid", DType::kBool, {}, 1});

  uint64_t total = 0;
  for (const Row& row : layout.rows_) {
    uint64_t bytes = 0;
    if (__builtin_mul_overflow(row.bytes, uint64_t{delivery.batch_size},
                               &bytes) ||
        __builtin_add_overflow(bytes, total, &total) ||
        __builtin_add_overflow(kTensorAlignment, total, &total) ||
        total > limits.max_batch_bytes) {
      return absl::InvalidArgumentError(absl::StrCat(
          "delivery: a batch of ", delivery.batch_size,
          " drawings is larger than ", limits.max_batch_bytes,
          " bytes (max_batch_bytes); \"", row.name, "\" takes ", row.bytes,
          " bytes a drawing: ask for a smaller batch_size or image"));
    }
  }
  return layout;
}

uint64_t BatchLayout::Bytes(uint32_t rows) const {
  uint64_t total = 0;
  for (const Row& row : rows_) total += RoundUp(row.bytes * rows);
  return total;
}

std::vector<TensorInfo> BatchLayout::Tensors(uint32_t rows) const {
  std::vector<TensorInfo> tensors;
  tensors.reserve(rows_.size());
  uint64_t offset = 0;
  for (const Row& row : rows_) {
    TensorInfo& tensor = tensors.emplace_back();
    tensor.name = row.name;
    tensor.dtype = row.dtype;
    tensor.shape = {static_cast<int64_t>(rows)};
    tensor.shape.insert(tensor.shape.end(), row.shape.begin(), row.shape.end());
    tensor.offset = offset;
    tensor.length = row.bytes * rows;
    offset += RoundUp(tensor.length);
  }
  return tensors;
}

}  // namespace inkstream::batch
