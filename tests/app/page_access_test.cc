#include "server/app/serve/page_access.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "server/ops/held_requests.h"
#include "server/transport/security/failed_attempts.h"

namespace inkstream::app {
namespace {

using transport::FailedAttempts;

class NotingObserver : public transport::CallObserver {
 public:
  void OnStreamOpened(const transport::StreamReport&) override {}
  void OnStreamEnded(const transport::StreamReport&) override {}
  void OnRefused(const std::string& method, const transport::Peer& peer,
                 const absl::Status&) override {
    refused.push_back(method + " of " + peer.name);
  }

  std::vector<std::string> refused;
};

class SlowedDownTest : public ::testing::Test {
 protected:
  // Answered as "401" for a peer called stranger, else as 200.
  std::future<unsigned int> Ask(const std::string& peer) {
    const auto code = std::make_shared<std::promise<unsigned int>>();
    ops::HttpRequest request;
    request.peer = peer;
    request.caller = peer;
    page_(std::move(request), [code](const ops::HttpAnswer& answer) {
      code->set_value(answer.code);
    });
    return code->get_future();
  }
  static bool IsAnswered(const std::future<unsigned int>& code) {
    return code.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }

  NotingObserver observer_;
  const ops::HttpHandler page_ = SlowedDown(
      [](const ops::HttpRequest& request, const ops::HttpDone& done) {
        done({request.peer == "stranger" ? 401U : 200U, "", "", {}});
      },
      &observer_);
};

TEST_F(SlowedDownTest, WrongTokensOfAPeerWaitAndNobodyElseDoes) {
  for (uint32_t i = 0; i < FailedAttempts::kAnswersASecond; ++i) {
    EXPECT_EQ(Ask("stranger").get(), 401U);
  }
  std::future<unsigned int> late = Ask("stranger");
  EXPECT_FALSE(IsAnswered(late));
  EXPECT_TRUE(IsAnswered(Ask("friend")));
  EXPECT_EQ(observer_.refused.size(), FailedAttempts::kAnswersASecond + 1);
  EXPECT_EQ(observer_.refused.back(), "page of stranger");
  EXPECT_EQ(late.get(), 401U);
}

TEST_F(SlowedDownTest, HoweverManyAreWrongFewOfThePlacesForRequestsAreTheirs) {
  std::vector<std::future<unsigned int>> wrong;
  for (size_t i = 0; i < 100; ++i) wrong.push_back(Ask("stranger"));
  const auto waiting =
      std::count_if(wrong.begin(), wrong.end(),
                    [](const auto& one) { return !IsAnswered(one); });
  EXPECT_LE(static_cast<size_t>(waiting), ops::HeldLimits().requests / 4);
  for (auto& one : wrong) EXPECT_EQ(one.get(), 401U);
}

}  // namespace
}  // namespace inkstream::app
