#include "server/transport/grpc/delivery_from_proto.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <inkstream/v1/service.pb.h>

#include <functional>
#include <string>

#include "server/transport/grpc/plan_from_proto.h"

namespace inkstream::transport {
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
        Refused{"delivery.strokes",
                [](Open* o) { o->mutable_delivery()->mutable_strokes(); }},
        Refused{"delivery.augment",
                [](Open* o) { o->mutable_delivery()->mutable_augment(); }},
        Refused{"delivery.views",
                [](Open* o) { o->mutable_delivery()->set_views(2); }},
        Refused{
            "delivery.codec",
            [](Open* o) { o->mutable_delivery()->set_codec(v1::CODEC_ZSTD); }},
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

TEST(DeliveryFromProtoTest, MessagesMayNotBeTiny) {
  v1::Delivery delivery;
  EXPECT_EQ(*MaxMessageBytes(delivery), 4U << 20U);
  delivery.set_max_message_bytes(65535);
  EXPECT_FALSE(MaxMessageBytes(delivery).ok());
  delivery.set_max_message_bytes(65536);
  EXPECT_EQ(*MaxMessageBytes(delivery), 65536U);
}

}  // namespace
}  // namespace inkstream::transport
