#include <gmock/gmock.h>
#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "server/wire/messages.h"

namespace inkstream::wire {
namespace {

using google::protobuf::Message;
using ::testing::AllOf;
using ::testing::HasSubstr;

struct Later {
  const char* field;  // in which one of a later release is
  std::function<Message*(v1::StreamBatchesRequest::Open*)> in;
};

class KnownFieldsTest : public testing::TestWithParam<Later> {};

void AddField(Message* message) {
  message->GetReflection()->MutableUnknownFields(message)->AddVarint(900, 1);
}

TEST_P(KnownFieldsTest, FieldsOfALaterReleaseAreRefused) {
  v1::StreamBatchesRequest request;
  v1::StreamBatchesRequest::Open* const open = request.mutable_open();
  Message* const changed = GetParam().in(open);
  EXPECT_TRUE(PlanFromProto(request).ok());
  AddField(changed);
  const absl::Status status = PlanFromProto(request).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr(std::string(GetParam().field) + ": field 900 of"),
                    HasSubstr("update the server or leave the field out")));
}

TEST(KnownFields, WhatAnEarlierReleaseSaidOfWhatHasGoneIsLetBy) {
  v1::StreamBatchesRequest request;
  v1::Delivery* const delivery = request.mutable_open()->mutable_delivery();
  constexpr int kTransport = 16;
  delivery->GetReflection()->MutableUnknownFields(delivery)->AddVarint(
      kTransport, 2);
  EXPECT_TRUE(PlanFromProto(request).ok());
}

INSTANTIATE_TEST_SUITE_P(
    Messages, KnownFieldsTest,
    testing::Values(
        Later{"view", [](auto* open) { return open->mutable_view(); }},
        Later{"view.where[0]",
              [](auto* open) {
                v1::Where* const where = open->mutable_view()->add_where();
                where->set_op(v1::Where::OP_EQ);
                return where;
              }},
        Later{"order", [](auto* open) { return open->mutable_order(); }},
        Later{"order.sampling",
              [](auto* open) {
                return open->mutable_order()->mutable_sampling();
              }},
        Later{"order.sampling.mix.views[0].fold",
              [](auto* open) {
                return open->mutable_order()
                    ->mutable_sampling()
                    ->mutable_mix()
                    ->add_views()
                    ->mutable_fold();
              }},
        Later{"delivery.image",
              [](auto* open) {
                return open->mutable_delivery()->mutable_image();
              }},
        Later{"delivery.strokes",
              [](auto* open) {
                return open->mutable_delivery()->mutable_strokes();
              }},
        Later{"delivery.augment.rotation", [](auto* open) {
                return open->mutable_delivery()
                    ->mutable_augment()
                    ->mutable_rotation();
              }}));

TEST(KnownFieldsTest, HintsOfALaterReleaseArePassedOver) {
  v1::StreamBatchesRequest request;
  AddField(request.mutable_open()->mutable_delivery());
  EXPECT_TRUE(PlanFromProto(request).ok());
}

}  // namespace
}  // namespace inkstream::wire
