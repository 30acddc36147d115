#include "client/cpp/messages/earlier_servers.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace inkstream::client {

// Whole for ever: a server that says `refuses_unknown` names what it does not
// know itself.
absl::string_view PassedOver(SamplingKind sampling,
                             const std::optional<StrokesSpec>& strokes) {
  if (sampling == SamplingKind::kDrawings) return "order.sampling.drawings";
  if (strokes.has_value() && strokes->times) {
    return "delivery.strokes.times";
  }
  return "";
}

absl::Status CheckUnderstood(absl::string_view what, bool refuses_unknown,
                             absl::string_view target) {
  if (what.empty() || refuses_unknown) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, ": the server at ", target,
                   " is of an earlier release, which passes it over; update "
                   "it, or leave the field out"));
}

bool HaveTheServerDraw(const absl::Status& refused, v1::Delivery* delivery) {
  if (!absl::IsInvalidArgument(refused) ||
      !absl::StartsWith(refused.message(), "delivery.codec") ||
      delivery->codec() != v1::CODEC_STROKES) {
    return false;
  }
  delivery->set_codec(v1::CODEC_NONE);
  return true;
}

}  // namespace inkstream::client
