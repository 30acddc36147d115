#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <inkstream/v1/service.pb.h>

#include <functional>
#include <string>

#include "server/wire/messages.h"
#include "tests/wire/filled_message.h"

namespace inkstream::wire {
namespace {

using Open = v1::StreamBatchesRequest::Open;
using ::testing::HasSubstr;

struct Refused {
  const char* field;
  std::function<void(Open*)> ask;
};
void PrintTo(const Refused& refused, std::ostream* out) {
  *out << refused.field;
}

class DeliveryNotOfferedTest : public ::testing::TestWithParam<Refused> {};

TEST_P(DeliveryNotOfferedTest, IsRefusedByNameInsteadOfLeftOut) {
  v1::StreamBatchesRequest request;
  GetParam().ask(request.mutable_open());
  const absl::Status status = PlanFromProto(request).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr(std::string(GetParam().field) + ": "));
}

INSTANTIATE_TEST_SUITE_P(
    All, DeliveryNotOfferedTest,
    ::testing::Values(
        Refused{"delivery.strokes.format",
                [](Open* o) {
                  o->mutable_delivery()->mutable_strokes()->set_format(
                      static_cast<v1::Strokes::Format>(9));
                }},
        Refused{"delivery.strokes.scale",
                [](Open* o) {
                  o->mutable_delivery()->mutable_strokes()->set_scale(
                      static_cast<v1::Strokes::Scale>(9));
                }},
        Refused{"delivery.strokes.too_long",
                [](Open* o) {
                  o->mutable_delivery()->mutable_strokes()->set_too_long(
                      static_cast<v1::Strokes::TooLong>(9));
                }},
        Refused{"delivery.strokes.dtype",
                [](Open* o) {
                  o->mutable_delivery()->mutable_strokes()->set_dtype(
                      static_cast<v1::DType>(99));
                }},
        Refused{"delivery.codec",
                [](Open* o) {
                  o->mutable_delivery()->set_codec(static_cast<v1::Codec>(9));
                }},
        Refused{"delivery.on_corrupt",
                [](Open* o) {
                  o->mutable_delivery()->set_on_corrupt(
                      static_cast<v1::Delivery::OnCorrupt>(7));
                }},
        Refused{"delivery.tail",
                [](Open* o) {
                  o->mutable_delivery()->set_tail(static_cast<v1::Tail>(9));
                }},
        Refused{"delivery.image.dtype", [](Open* o) {
                  o->mutable_delivery()->mutable_image()->set_dtype(
                      static_cast<v1::DType>(99));
                }}));

TEST(DeliveryMessageTest, EveryFieldComesBack) {
  auto message = Filled<v1::Delivery>();
  message.clear_epochs();  // it never ends
  // The client's to say.
  message.clear_raster_version();
  absl::StatusOr<DeliverySpec> spec = DeliveryFromProto(message);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(
      Differences(message, DeliveryToProto(*spec, message.max_message_bytes())),
      "");
  message.clear_forever();
  message.set_epochs(3);
  spec = DeliveryFromProto(message);
  EXPECT_EQ(
      Differences(message, DeliveryToProto(*spec, message.max_message_bytes())),
      "");
}

TEST(DeliveryMessageTest, MessagesMayNotBeTiny) {
  v1::Delivery delivery;
  EXPECT_EQ(*MaxMessageBytes(delivery), 4U << 20U);
  delivery.set_max_message_bytes(65535);
  EXPECT_FALSE(MaxMessageBytes(delivery).ok());
  delivery.set_max_message_bytes(65536);
  EXPECT_EQ(*MaxMessageBytes(delivery), 65536U);
}

}  // namespace
}  // namespace inkstream::wire
