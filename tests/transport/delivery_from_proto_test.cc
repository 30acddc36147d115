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
        Refused{"delivery.codec",  // no image to send the strokes of
                [](Open* o) {
                  o->mutable_delivery()->set_codec(v1::CODEC_STROKES);
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

TEST(DeliveryFromProtoTest, EveryFieldOfTheStrokesArrives) {
  v1::Delivery delivery;
  v1::Strokes* const strokes = delivery.mutable_strokes();
  DeliverySpec spec;
  ASSERT_TRUE(TensorsFromProto(delivery, &spec).ok());
  StrokesSpec expected;
  expected.max_len = 0;
  EXPECT_EQ(spec.strokes, expected);
  strokes->set_format(v1::Strokes::FORMAT_POINTS);
  strokes->set_max_len(77);
  strokes->set_start_token(false);
  strokes->set_scale(v1::Strokes::SCALE_UNIT);
  strokes->set_scale_value(2.5);
  strokes->set_too_long(v1::Strokes::TOO_LONG_DROP);
  strokes->set_ragged(true);
  strokes->set_dtype(v1::DTYPE_FLOAT16);
  strokes->set_resample(4);
  strokes->set_prefix(0.5);
  ASSERT_TRUE(TensorsFromProto(delivery, &spec).ok());
  expected = {StrokeFormat::kPoints,
              77,
              false,
              StrokeScale::kUnit,
              2.5,
              TooLong::kDrop,
              4,
              0.5,
              true,
              DType::kFloat16};
  EXPECT_EQ(spec.strokes, expected);
}

TEST(DeliveryFromProtoTest, EveryFieldOfTheAugmentationArrives) {
  v1::Delivery delivery;
  v1::Augment* const augment = delivery.mutable_augment();
  DeliverySpec spec;
  ASSERT_TRUE(TensorsFromProto(delivery, &spec).ok());
  EXPECT_EQ(spec.augment, AugmentSpec());
  EXPECT_EQ(spec.views, 1U);
  auto set = [low = 0.0F](v1::Augment::Range* range) mutable {
    range->set_low(++low);
    range->set_high(low + 0.5F);
  };
  set(augment->mutable_rotation());
  set(augment->mutable_scale());
  set(augment->mutable_scale_x());
  set(augment->mutable_scale_y());
  set(augment->mutable_shear());
  set(augment->mutable_translate_x());
  set(augment->mutable_translate_y());
  set(augment->mutable_line_width());
  augment->set_flip_x(0.1F);
  augment->set_flip_y(0.2F);
  augment->set_stroke_dropout(0.3F);
  augment->set_stroke_reorder(0.4F);
  augment->set_point_dropout(0.5F);
  augment->set_jitter(6);
  delivery.set_views(3);
  ASSERT_TRUE(TensorsFromProto(delivery, &spec).ok());
  const AugmentSpec expected = {
      {1, 1.5}, {2, 2.5}, {3, 3.5}, {4, 4.5}, {5, 5.5}, {6, 6.5}, {7, 7.5},
      0.1F,     0.2F,     0.3F,     0.4F,     0.5F,     6,        {8, 8.5}};
  EXPECT_EQ(spec.augment, expected);
  EXPECT_EQ(spec.views, 3U);
}

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
