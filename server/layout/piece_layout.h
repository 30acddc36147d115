// A piece of a batch: drawings -> image and stroke tensors, one after another
// in one thread. What it needs of the rows, others have found: index and valid
// are in their tensors.
//
// Thread safety: different pieces of a batch at once.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "inkstream/drawing.h"
#include "server/layout/batch_tensors.h"
#include "server/layout/damage.h"
#include "server/layout/drawing_tools.h"
#include "server/layout/layout_recipe.h"

namespace inkstream::layout {

// Decodes the drawing of row `i` of the piece: each once and in this order;
// valid until the next call. DATA_LOSS: it cannot be read.
using ReadStrokes = absl::FunctionRef<absl::StatusOr<StrokesView>(size_t i)>;

struct Piece {
  uint32_t first = 0;  // row of the batch
  uint32_t last = 0;   // behind the piece
  uint64_t epoch = 0;
  // How often each drawing came before in the epoch; empty: none did.
  absl::Span<const uint64_t> occurrences;
};

// Returns the seconds that decoding took, estimated from some of the rows. The
// rest of the time is drawing's. INVALID_ARGUMENT: a drawing is too long, under
// TooLong::kError.
absl::StatusOr<double> LayOut(const LayoutRecipe& recipe, const Piece& piece,
                              const BatchTensors& batch, ReadStrokes read,
                              DrawingTools* tools, Damage* damage);

}  // namespace inkstream::layout
