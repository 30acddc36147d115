// The messages of the contract <-> values, for servers and clients alike.
// Fields that this program does not offer are refused by name; everything else
// is for the engine to check.
//
// Thread safety: pure functions. Errors are INVALID_ARGUMENT.
#pragma once

#include <inkstream/v1/service.pb.h>

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "inkstream/plan.h"

namespace inkstream::wire {

AugmentSpec AugmentFromProto(const v1::Augment& augment);
v1::Augment AugmentToProto(const AugmentSpec& spec);

absl::StatusOr<ImageSpec> ImageFromProto(const v1::Image& image);
v1::Image ImageToProto(const ImageSpec& spec);

absl::StatusOr<StrokesSpec> StrokesFromProto(const v1::Strokes& strokes);
v1::Strokes StrokesToProto(const StrokesSpec& spec);

absl::StatusOr<View> ViewFromProto(const v1::View& view);
v1::View ViewToProto(const View& view);

absl::StatusOr<OrderSpec> OrderFromProto(const v1::Order& order);
v1::Order OrderToProto(const OrderSpec& order);

Cursor CursorFromProto(const v1::Cursor& proto);
void CursorToProto(const Cursor& cursor, v1::Cursor* proto);

// What streams and fetches both have of a delivery, into `spec`.
absl::Status TensorsFromProto(const v1::Delivery& delivery, DeliverySpec* spec);
// All of it. `max_message_bytes`: what the client accepts.
absl::StatusOr<DeliverySpec> DeliveryFromProto(const v1::Delivery& delivery);
v1::Delivery DeliveryToProto(const DeliverySpec& spec,
                             uint32_t max_message_bytes);
// What the client accepts, 4 MiB where it does not say.
absl::StatusOr<uint32_t> MaxMessageBytes(const v1::Delivery& delivery);

// What opens a stream. REQUIRES: request.has_open().
absl::StatusOr<Plan> PlanFromProto(const v1::StreamBatchesRequest& request);
// `credits`: batches the client can take at once.
v1::StreamBatchesRequest PlanToProto(const Plan& plan, uint32_t credits,
                                     uint32_t max_message_bytes);

// `value` is of no enumerator that this program was built with.
absl::Status UnknownEnum(absl::string_view field, int value);

// Refuses a message that has, or within which another has, fields or values of
// an enumeration that this program was built without.
absl::Status CheckKnown(absl::string_view field,
                        const google::protobuf::Message& message);

}  // namespace inkstream::wire
