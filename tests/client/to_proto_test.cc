#include "client/cpp/messages/to_proto.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace inkstream::client {
namespace {

TEST(CheckPlan, AZeroThatTheWireWouldTurnIntoADefaultIsRefusedByName) {
  ASSERT_TRUE(CheckPlan(Plan{}).ok());
  const std::vector<std::pair<std::string, std::function<void(DeliverySpec*)>>>
      zeros = {
          {"batch_size", [](DeliverySpec* d) { d->batch_size = 0; }},
          {"world", [](DeliverySpec* d) { d->world = 0; }},
          {"step_stride", [](DeliverySpec* d) { d->step_stride = 0; }},
          {"epochs", [](DeliverySpec* d) { d->epochs = 0; }},
          {"views", [](DeliverySpec* d) { d->views = 0; }},
          {"image.width",
           [](DeliverySpec* d) {
             d->image = ImageSpec{28, 0};
           }},
      };
  for (const auto& [field, set] : zeros) {
    Plan plan;
    set(&plan.delivery);
    const absl::Status status = CheckPlan(plan);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << field;
    EXPECT_EQ(status.message(),
              "delivery." + field + " = 0; it must be at least 1");
  }
}

}  // namespace
}  // namespace inkstream::client
