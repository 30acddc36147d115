// What a stream delivers and in which order: the request of StreamBatches as
// plain values. The server alone validates; its limits are in
// DatasetInfo::limits.
//
// Thread safety: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "inkstream/augment_spec.h"
#include "inkstream/cursor.h"
#include "inkstream/image_spec.h"
#include "inkstream/order_spec.h"
#include "inkstream/strokes_spec.h"
#include "inkstream/view.h"

namespace inkstream {

// Numbered as in inkstream.v1; never renumber.
enum class Tail : uint8_t { kDrop = 0, kPartial = 1, kPad = 2 };
// kSkip: a damaged record keeps its place, blank and with valid = false.
enum class OnCorrupt : uint8_t { kFail = 0, kSkip = 1 };
// What becomes of batches on the wire; what a stream gives is the same bytes
// under each. kStrokes, or kAuto: batches travel as strokes, of which the
// client makes them, where that gives the server's bytes: quality fast, and the
// raster versions equal. Where not, the server draws, and
// StreamInfo::codec_reason says why. Memory that is shared needs none of them.
enum class Codec : uint8_t { kNone = 0, kAuto = 2, kStrokes = 4 };

// How the ordered drawings are cut and drawn. Free to change between a cursor
// and its reopening.
struct DeliverySpec {
  std::optional<ImageSpec> image;
  std::optional<StrokesSpec> strokes;
  std::optional<AugmentSpec> augment;  // of image and strokes alike
  // Differently augmented copies of each drawing; tensors of 2 and more have
  // a dimension for them behind the first. 1..limit (16).
  uint32_t views = 1;
  std::vector<std::string> columns;  // label, word, countrycode, timestamp,
                                     // recognized, key_id
  int64_t ignore_index = -100;       // label of a drawing without a word
  uint32_t batch_size = 256;         // drawings a rank and step
  uint32_t rank = 0;
  uint32_t world = 1;
  Tail tail = Tail::kDrop;
  std::optional<uint64_t> epochs = 1;  // end after this many; nullopt: endless
  uint64_t step_offset = 0;
  uint64_t step_stride = 1;
  uint64_t max_batches = 0;  // end after this many; 0: no bound
  OnCorrupt on_corrupt = OnCorrupt::kFail;
  Codec codec = Codec::kAuto;
  // With kSkip: more damaged records than this end the stream with DATA_LOSS,
  // counted since it was opened; 0: no bound.
  uint64_t max_bad = 0;

  bool operator==(const DeliverySpec&) const = default;
};

struct Plan {
  std::string dataset;
  std::string fingerprint;  // hex; empty: of the generation in use
  View view;
  OrderSpec order;
  DeliverySpec delivery;
  std::optional<Cursor> start;  // nullopt: epoch 0, position 0

  bool operator==(const Plan&) const = default;
};

}  // namespace inkstream
