#include "server/transport/grpc/plan_from_proto.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace inkstream::transport {
namespace {

using ::testing::HasSubstr;

TEST(PlanFromProtoTest, AnEmptyRequestIsTheDefaults) {
  v1::StreamBatchesRequest request;
  request.mutable_open();
  const absl::StatusOr<Plan> plan = PlanFromProto(request);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(*plan, Plan());
}

TEST(PlanFromProtoTest, EveryFieldOfAPlanArrives) {
  v1::StreamBatchesRequest request;
  request.set_dataset("quickdraw");
  auto* const open = request.mutable_open();
  open->set_fingerprint("ff");
  open->mutable_view()->set_split("train");
  open->mutable_view()->add_classes("dog");
  open->mutable_order()->set_seed(7);
  open->mutable_order()->set_shuffle(v1::Order::SHUFFLE_NONE);
  auto* const delivery = open->mutable_delivery();
  delivery->mutable_image()->set_height(64);
  delivery->mutable_image()->set_line_width(3);
  delivery->mutable_image()->set_padding(0);
  delivery->mutable_image()->set_layout(v1::Image::LAYOUT_NHWC);
  delivery->add_columns("label");
  delivery->set_ignore_index(0);
  delivery->set_batch_size(32);
  delivery->set_rank(1);
  delivery->set_world(3);
  delivery->set_tail(v1::TAIL_PAD);
  delivery->set_forever(true);
  delivery->set_step_offset(1);
  delivery->set_step_stride(2);
  delivery->set_max_batches(9);
  open->mutable_cursor()->set_version(1);
  open->mutable_cursor()->set_epoch(2);
  open->mutable_cursor()->set_position(96);

  Plan expected;
  expected.dataset = "quickdraw";
  expected.fingerprint = "ff";
  expected.view = {"train", {"dog"}};
  expected.order.seed = 7;
  expected.order.shuffle = ShuffleKind::kNone;
  expected.delivery.image = ImageSpec{64, 64};
  expected.delivery.image->line_width = 3;
  expected.delivery.image->padding = 0;
  expected.delivery.image->layout = Layout::kNhwc;
  expected.delivery.columns = {"label"};
  expected.delivery.ignore_index = 0;
  expected.delivery.batch_size = 32;
  expected.delivery.rank = 1;
  expected.delivery.world = 3;
  expected.delivery.tail = Tail::kPad;
  expected.delivery.epochs = std::nullopt;
  expected.delivery.step_offset = 1;
  expected.delivery.step_stride = 2;
  expected.delivery.max_batches = 9;
  expected.start = Cursor{};
  expected.start->epoch = 2;
  expected.start->position = 96;
  const absl::StatusOr<Plan> plan = PlanFromProto(request);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(*plan, expected);
}

struct Refused {
  const char* field;
  std::function<void(v1::StreamBatchesRequest::Open*)> ask;
};
void PrintTo(const Refused& refused, std::ostream* out) {
  *out << refused.field;
}

class NotOfferedTest : public ::testing::TestWithParam<Refused> {};

TEST_P(NotOfferedTest, IsRefusedByNameInsteadOfLeftOut) {
  v1::StreamBatchesRequest request;
  GetParam().ask(request.mutable_open());
  const absl::Status status = PlanFromProto(request).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr(std::string(GetParam().field) + ": "));
}

using Open = v1::StreamBatchesRequest::Open;

INSTANTIATE_TEST_SUITE_P(
    All, NotOfferedTest,
    ::testing::Values(
        Refused{"view.where", [](Open* o) { o->mutable_view()->add_where(); }},
        Refused{"view.max_per_class",
                [](Open* o) { o->mutable_view()->set_max_per_class(1); }},
        Refused{"view.fraction",
                [](Open* o) { o->mutable_view()->set_fraction(0.5); }},
        Refused{"view.include_keys",
                [](Open* o) { o->mutable_view()->set_include_keys("a"); }},
        Refused{"view.exclude_keys",
                [](Open* o) { o->mutable_view()->set_exclude_keys("a"); }},
        Refused{"view.fold",
                [](Open* o) { o->mutable_view()->mutable_fold(); }},
        Refused{"order.sampling",
                [](Open* o) {
                  o->mutable_order()->mutable_sampling()->mutable_balanced();
                }},
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
                      v1::Delivery::ON_CORRUPT_SKIP);
                }},
        Refused{"delivery.tail",
                [](Open* o) {
                  o->mutable_delivery()->set_tail(static_cast<v1::Tail>(9));
                }},
        Refused{"delivery.image.dtype", [](Open* o) {
                  o->mutable_delivery()->mutable_image()->set_dtype(
                      static_cast<v1::DType>(99));
                }}));

TEST(PlanFromProtoTest, MessagesMayNotBeTiny) {
  v1::Delivery delivery;
  EXPECT_EQ(*MaxMessageBytes(delivery), 4U << 20U);
  delivery.set_max_message_bytes(65535);
  EXPECT_FALSE(MaxMessageBytes(delivery).ok());
  delivery.set_max_message_bytes(65536);
  EXPECT_EQ(*MaxMessageBytes(delivery), 65536U);
}

}  // namespace
}  // namespace inkstream::transport
