#include <gtest/gtest.h>

#include <string>

#include "server/wire/messages.h"

namespace inkstream::wire {
namespace {

TEST(PlanMessageTest, AnEmptyRequestIsTheDefaults) {
  v1::StreamBatchesRequest request;
  request.mutable_open();
  const absl::StatusOr<Plan> plan = PlanFromProto(request);
  ASSERT_TRUE(plan.ok()) << plan.status();
  Plan expected;
  expected.delivery.codec = Codec::kNone;  // a choice is the client's own
  EXPECT_EQ(*plan, expected);
}

TEST(PlanMessageTest, AChoiceTravelsAsStrokes) {
  Plan plan;
  ASSERT_EQ(plan.delivery.codec, Codec::kAuto);
  EXPECT_EQ(PlanToProto(plan, 1, 0).open().delivery().codec(),
            v1::CODEC_STROKES);
  plan.delivery.codec = Codec::kNone;
  EXPECT_EQ(PlanToProto(plan, 1, 0).open().delivery().codec(), v1::CODEC_NONE);
}

TEST(PlanMessageTest, EveryFieldOfAPlanArrives) {
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
  expected.delivery.codec = Codec::kNone;
  expected.start = Cursor{};
  expected.start->epoch = 2;
  expected.start->position = 96;
  const absl::StatusOr<Plan> plan = PlanFromProto(request);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(*plan, expected);
  EXPECT_EQ(*PlanFromProto(PlanToProto(expected, 3, 0)), expected);
  EXPECT_EQ(PlanToProto(expected, 3, 0).credits(), 3U);
}

}  // namespace
}  // namespace inkstream::wire
