#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/wire/messages.h"
#include "tests/wire/filled_message.h"

namespace inkstream::wire {
namespace {

// The kinds of sampling exclude each other.
v1::Order With(void (*sample)(v1::Order::Sampling*)) {
  v1::Order message;
  message.set_seed(7);
  message.set_shuffle(v1::Order::SHUFFLE_NONE);
  message.set_window(9);
  sample(message.mutable_sampling());
  return message;
}

TEST(OrderMessageTest, EveryFieldComesBack) {
  for (const v1::Order& message :
       {With([](v1::Order::Sampling* s) {
          *s->mutable_balanced() = Filled<v1::Order::Sampling::Balanced>();
        }),
        With([](v1::Order::Sampling* s) {
          *s->mutable_weights() = Filled<v1::Order::Sampling::Weights>();
        }),
        With([](v1::Order::Sampling* s) {
          *s->mutable_mix() = Filled<v1::Order::Sampling::Mix>();
        }),
        With([](v1::Order::Sampling* s) {
          *s->mutable_drawings() = Filled<v1::Order::Sampling::Drawings>();
        })}) {
    const absl::StatusOr<OrderSpec> order = OrderFromProto(message);
    ASSERT_TRUE(order.ok()) << order.status();
    EXPECT_EQ(Differences(message, OrderToProto(*order)), "");
  }
}

TEST(OrderMessageTest, UniformIsNoSampling) {
  EXPECT_EQ(*OrderFromProto(v1::Order()), OrderSpec());
  EXPECT_FALSE(OrderToProto(OrderSpec()).has_sampling());
}

}  // namespace
}  // namespace inkstream::wire
