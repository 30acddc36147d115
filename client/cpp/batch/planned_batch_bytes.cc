#include "client/cpp/batch/planned_batch_bytes.h"

#include "server/wire/delivery_message.h"

namespace inkstream::client {

uint64_t PlannedBatchBytes(const v1::StreamBatchesRequest& opening,
                           uint64_t limit) {
  const absl::StatusOr<DeliverySpec> spec =
      wire::DeliveryFromProto(opening.open().delivery());
  if (!spec.ok()) return limit;  // the server says why
  // In floating point: it cannot overflow, and a little more does no harm.
  const double views = spec->views;
  double row = 8.0 * static_cast<double>(spec->columns.size() + 2);
  if (spec->image.has_value()) {
    row += views * spec->image->height * spec->image->width *
           static_cast<double>(spec->image->channels.size() *
                               SizeOf(spec->image->dtype));
  }
  if (spec->strokes.has_value()) {
    constexpr double kColumns = 6;
    constexpr double kLengthAndOffset = 16;
    row += views * ((spec->strokes->max_len + 1.0) * kColumns *
                        static_cast<double>(SizeOf(spec->strokes->dtype)) +
                    kLengthAndOffset);
  }
  constexpr double kGaps = 4096;
  const double planned = row * spec->batch_size * (1 + 1e-9) + kGaps;
  return planned < static_cast<double>(limit) ? static_cast<uint64_t>(planned)
                                              : limit;
}

}  // namespace inkstream::client
