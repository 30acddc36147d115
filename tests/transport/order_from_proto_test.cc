#include "server/transport/grpc/order_from_proto.h"

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

class OrderNotOfferedTest : public ::testing::TestWithParam<Refused> {};

TEST_P(OrderNotOfferedTest, IsRefusedByNameInsteadOfLeftOut) {
  v1::StreamBatchesRequest request;
  GetParam().ask(request.mutable_open());
  const absl::Status status = PlanFromProto(request).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr(std::string(GetParam().field) + ": "));
}

INSTANTIATE_TEST_SUITE_P(
    All, OrderNotOfferedTest,
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
        Refused{"order.sampling", [](Open* o) {
                  o->mutable_order()->mutable_sampling()->mutable_balanced();
                }}));

}  // namespace
}  // namespace inkstream::transport
