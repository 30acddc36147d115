#include "server/transport/grpc/calls/answer_bytes.h"

#include <gtest/gtest.h>

#include "server/base/status_reason.h"

namespace inkstream::transport {
namespace {

TEST(AnswerBytesTest, ThoseThatAreBeingSentAreBoundedAndSoAreOneCallers) {
  AnswerBytes answers(800);
  EXPECT_TRUE(answers.Take("one", 400).ok());
  EXPECT_TRUE(answers.Take("one", 300).ok());
  const absl::Status refused = answers.Take("one", 1);
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(refused), kReasonOverloaded);
  EXPECT_TRUE(RetryDelayOf(refused).has_value());
  EXPECT_TRUE(answers.Take("other", 100).ok());
  EXPECT_FALSE(answers.Take("third", 1).ok());
  answers.GiveBack("one", 300);
  EXPECT_TRUE(answers.Take("third", 300).ok());
  answers.GiveBack("one", 400);
  EXPECT_TRUE(answers.Take("one", 400).ok());
}

TEST(AnswerBytesTest, OneByItselfMayBeLonger) {
  AnswerBytes answers(800);
  EXPECT_TRUE(answers.Take("one", 5000).ok());
  EXPECT_FALSE(answers.Take("other", 1).ok());
  answers.GiveBack("one", 5000);
  EXPECT_TRUE(answers.Take("other", 800).ok());
}

}  // namespace
}  // namespace inkstream::transport
