// Tensors, columns and how batches are cut: messages <-> values. Fields that
// this program does not offer are refused by name; everything else is for the
// engine to check.
//
// Thread safety: pure functions. Errors are INVALID_ARGUMENT.
#pragma once

#include <inkstream/v1/plan.pb.h>

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "inkstream/plan.h"

namespace inkstream::wire {

// What streams and fetches both have of a delivery, into `spec`.
absl::Status TensorsFromProto(const v1::Delivery& delivery, DeliverySpec* spec);

// All of it.
absl::StatusOr<DeliverySpec> DeliveryFromProto(const v1::Delivery& delivery);

// `max_message_bytes`: what the client accepts.
v1::Delivery DeliveryToProto(const DeliverySpec& spec,
                             uint32_t max_message_bytes);

// What the client accepts, 4 MiB where it does not say.
absl::StatusOr<uint32_t> MaxMessageBytes(const v1::Delivery& delivery);

}  // namespace inkstream::wire
