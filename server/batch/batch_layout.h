// Which tensors a batch has and where they lie: the price of a plan.
//
// Thread safety: immutable after construction.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "inkstream/plan.h"
#include "inkstream/tensor.h"

namespace inkstream::batch {

struct Limits;

enum class Field : uint8_t {
  kImage,
  kLabel,
  kWord,
  kCountrycode,
  kTimestamp,
  kRecognized,
  kKeyId,
  kIndex,
  kValid,
};

// Names of the columns a request may list.
const std::vector<std::string>& OfferedColumns();

class BatchLayout {
 public:
  // INVALID_ARGUMENT names the field, its value, the limit and, for a column,
  // the nearest name. Nothing is allocated beyond the table; image sizes are
  // multiplied with care for overflow.
  static absl::StatusOr<BatchLayout> Create(const DeliverySpec& delivery,
                                            const Limits& limits);

  // Bytes of a batch of `rows`, a multiple of kTensorAlignment.
  // REQUIRES: rows <= the batch size that was priced.
  uint64_t Bytes(uint32_t rows) const;

  // The tensors of a batch of `rows`, in the order of fields().
  std::vector<TensorInfo> Tensors(uint32_t rows) const;

  const std::vector<Field>& fields() const { return fields_; }

 private:
  struct Row {
    std::string name;
    DType dtype;
    std::vector<int64_t> shape;  // of one row
    uint64_t bytes;              // of one row
  };

  void Add(Field field, Row row) {
    fields_.push_back(field);
    rows_.push_back(std::move(row));
  }

  std::vector<Field> fields_;
  std::vector<Row> rows_;  // same order
};

}  // namespace inkstream::batch
