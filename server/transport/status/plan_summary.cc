#include "server/transport/status/plan_summary.h"

#include "absl/strings/str_cat.h"

namespace inkstream::transport {

std::string PlanSummary(const Cursor& start, const DeliverySpec& delivery) {
  std::string text = absl::StrCat("batch ", delivery.batch_size);
  if (delivery.image.has_value()) {
    absl::StrAppend(&text, ", image ", delivery.image->height, "x",
                    delivery.image->width);
  }
  if (delivery.strokes.has_value()) {
    absl::StrAppend(&text, ", strokes of ", delivery.strokes->max_len);
  }
  if (delivery.augment.has_value()) text += ", augmented";
  if (delivery.views > 1)
    absl::StrAppend(&text, ", ", delivery.views, " views");
  absl::StrAppend(&text, ", rank ", delivery.rank, " of ", delivery.world,
                  ", seed ", start.seed, ", from epoch ", start.epoch,
                  " position ", start.position);
  return text;
}

}  // namespace inkstream::transport
