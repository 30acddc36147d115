#include "server/batch/job/stream_places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "server/base/status_reason.h"

namespace inkstream::batch {
namespace {

using ::testing::HasSubstr;

TEST(StreamPlacesTest, OneCallerLeavesAnEighthToOthers) {
  const auto places = std::make_shared<StreamPlaces>(16);
  std::vector<StreamPlaces::Place> taken;
  for (int i = 0; i < 14; ++i) taken.push_back(*places->Take("busy"));
  const absl::Status refused = places->Take("busy").status();
  EXPECT_EQ(ReasonOf(refused), kReasonTooManyStreams);
  EXPECT_TRUE(RetryDelayOf(refused).has_value());
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("busy has 14 streams open, as many as one caller may "
                        "of this server's 16"));
  for (int i = 0; i < 2; ++i) taken.push_back(*places->Take("other"));
  EXPECT_THAT(std::string(places->Take("other").status().message()),
              HasSubstr("this server has 16 streams open"));
  taken.erase(taken.begin());
  EXPECT_EQ(places->taken(), 15U);
  EXPECT_TRUE(places->Take("busy").ok());
}

TEST(StreamPlacesTest, FewAreNotDivided) {
  const auto places = std::make_shared<StreamPlaces>(1);
  const auto only = places->Take("one");
  EXPECT_TRUE(only.ok());
  EXPECT_FALSE(places->Take("other").ok());
}

}  // namespace
}  // namespace inkstream::batch
