#include "absl/strings/str_cat.h"
#include "server/base/timestamp_text.h"
#include "server/raster/ascii_preview.h"
#include "server/service/service.h"

namespace inkstream::service {

absl::Status InspectDrawing(const Service& service,
                            const v1::InspectDrawingRequest& request,
                            v1::InspectDrawingResponse* response) {
  if (request.drawing_case() == v1::InspectDrawingRequest::DRAWING_NOT_SET) {
    return absl::InvalidArgumentError("give an index or a key_id");
  }
  if (request.has_key_id() && request.key_id() < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("key_id: ", request.key_id(), " is not in 1..2^63-1"));
  }
  absl::StatusOr<batch::InspectedDrawing> inspected = service.engine->Inspect(
      request.dataset(), request.index(), request.key_id());
  if (!inspected.ok()) return inspected.status();
  const Drawing& drawing = inspected->drawing;
  const StrokesView strokes = drawing.strokes();
  response->set_index(inspected->index);
  response->set_word(drawing.word.value_or(""));
  response->set_label(inspected->label);
  response->set_countrycode(drawing.countrycode.value_or(""));
  if (drawing.timestamp.has_value()) {
    response->set_timestamp(FormatTimestamp(*drawing.timestamp));
  }
  if (drawing.recognized.has_value()) {
    response->set_recognized(*drawing.recognized);
  }
  if (drawing.key_id.has_value()) {
    response->set_key_id(absl::StrCat(*drawing.key_id));
  }
  response->set_split(inspected->split);
  response->set_strokes(static_cast<uint32_t>(strokes.strokes()));
  response->set_points(static_cast<uint32_t>(strokes.points()));
  constexpr uint32_t kColumns = 64;
  for (const std::string& line : raster::AsciiPreview(
           strokes, request.columns() == 0 ? kColumns : request.columns())) {
    response->add_preview(line);
  }
  for (size_t s = 0; s < strokes.strokes(); ++s) {
    v1::InspectDrawingResponse::Stroke* const stroke = response->add_drawing();
    for (size_t p = strokes.begin(s); p < strokes.end(s); ++p) {
      stroke->add_x(strokes.x[p]);
      stroke->add_y(strokes.y[p]);
    }
  }
  return absl::OkStatus();
}

}  // namespace inkstream::service
