#include "server/transport/read_permits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "server/base/status_reason.h"

namespace inkstream::transport {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::chrono::seconds kSoon{60};
constexpr std::chrono::hours kNever{1};

class ReadPermitsTest : public ::testing::Test {
 protected:
  struct Reader {
    std::string name;
    std::optional<absl::Status> end;
  };

  void Start(const ReadPermits::Limits& limits) {
    permits_ = std::make_unique<ReadPermits>(limits);
  }

  Reader* Acquire(const std::string& caller, const std::string& name) {
    readers_.push_back(std::make_unique<Reader>(Reader{name, {}}));
    Reader* const reader = readers_.back().get();
    permits_->Acquire(
        reader, caller, [this, reader] { Begun(reader); },
        [this, reader](const absl::Status& status) {
          const std::lock_guard<std::mutex> lock(mu_);
          reader->end = status;
          changed_.notify_all();
        });
    return reader;
  }

  void Begun(Reader* reader) {
    const std::lock_guard<std::mutex> lock(mu_);
    begun_.push_back(reader->name);
    changed_.notify_all();
  }

  // All who have a permit or had one, in that order.
  std::vector<std::string> begun() {
    const std::lock_guard<std::mutex> lock(mu_);
    return begun_;
  }

  // What it was ended with; OK: it was not.
  absl::Status EndOf(Reader* reader, std::chrono::seconds within) {
    std::unique_lock<std::mutex> lock(mu_);
    changed_.wait_for(lock, within, [&] { return reader->end.has_value(); });
    return reader->end.value_or(absl::OkStatus());
  }

  std::mutex mu_;
  std::condition_variable changed_;
  std::vector<std::string> begun_;                // guarded by mu_
  std::vector<std::unique_ptr<Reader>> readers_;  // their ends by mu_
  std::unique_ptr<ReadPermits> permits_;
};

TEST_F(ReadPermitsTest, WhoFindsNoneWaitsForOneThatIsGivenBack) {
  Start({.permits = 2, .patience = kNever, .longest = kNever});
  Reader* const first = Acquire("a", "1");
  Acquire("a", "2");
  Acquire("a", "3");
  EXPECT_THAT(begun(), ElementsAre("1", "2"));
  EXPECT_TRUE(permits_->Release(first));
  EXPECT_FALSE(permits_->Release(first)) << "it has none any more";
  EXPECT_THAT(begun(), ElementsAre("1", "2", "3"));
}

TEST_F(ReadPermitsTest, WhoWaitsNoMoreGetsNone) {
  Start({.permits = 1, .patience = kNever, .longest = kNever});
  Reader* const first = Acquire("a", "1");
  Reader* const second = Acquire("a", "2");
  Acquire("a", "3");
  EXPECT_TRUE(permits_->Release(second));
  EXPECT_TRUE(permits_->Release(first));
  EXPECT_THAT(begun(), ElementsAre("1", "3"));
}

TEST_F(ReadPermitsTest, TheCallerWithFewestIsNext) {
  Start({.permits = 2, .patience = kNever, .longest = kNever});
  Reader* const first = Acquire("a", "a1");
  for (const char* name : {"a2", "a3", "a4"}) Acquire("a", name);
  Acquire("b", "b1");
  EXPECT_TRUE(permits_->Release(first));
  EXPECT_THAT(begun(), ElementsAre("a1", "a2", "b1"));
}

TEST_F(ReadPermitsTest, WhoDripsMakesRoomForWhoWaits) {
  using std::chrono::milliseconds;
  Start({.permits = 2, .patience = milliseconds(50), .longest = kNever});
  Reader* const own = Acquire("b", "b1");
  Reader* const dripping = Acquire("a", "a1");
  EXPECT_TRUE(permits_->Release(own));
  Acquire("a", "a2");
  Reader* const newcomer = Acquire("b", "b2");
  const absl::Status end = EndOf(dripping, kSoon);
  EXPECT_EQ(end.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(end), kReasonOverloaded);
  EXPECT_TRUE(RetryDelayOf(end).has_value());
  EXPECT_THAT(end.message(), HasSubstr("has not come in within 50ms"));
  EXPECT_FALSE(permits_->Release(dripping)) << "it was taken back";
  EXPECT_THAT(begun(), ElementsAre("b1", "a1", "a2", "b2"));
  EXPECT_TRUE(EndOf(newcomer, std::chrono::seconds(0)).ok());
}

TEST_F(ReadPermitsTest, WhereNobodyWaitsTheLimitIsAnother) {
  using std::chrono::milliseconds;
  Start({.permits = 2,
         .patience = milliseconds(10),
         .longest = milliseconds(200)});
  Reader* const silent = Acquire("a", "1");
  const absl::Status end = EndOf(silent, kSoon);
  EXPECT_EQ(end.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(end), kReasonIdle);
}

TEST_F(ReadPermitsTest, AnotherLimitCountsForPermitsThatAreHeld) {
  Start({.permits = 2, .patience = kNever, .longest = kNever});
  Reader* const silent = Acquire("a", "1");
  permits_->SetLongest(std::chrono::milliseconds(20));
  const absl::Status end = EndOf(silent, kSoon);
  EXPECT_EQ(ReasonOf(end), kReasonIdle);
  EXPECT_THAT(end.message(), HasSubstr("within 20ms"));
}

TEST_F(ReadPermitsTest, OverTheLimitTheYoungestOfTheBusiestIsRefused) {
  Start({.permits = 1, .waiting = 2, .patience = kNever, .longest = kNever});
  Acquire("a", "a1");
  Reader* const second = Acquire("a", "a2");
  Reader* const third = Acquire("a", "a3");
  Reader* const other = Acquire("b", "b1");
  const absl::Status end = EndOf(third, std::chrono::seconds(0));
  EXPECT_EQ(ReasonOf(end), kReasonOverloaded);
  EXPECT_TRUE(EndOf(second, std::chrono::seconds(0)).ok());
  EXPECT_TRUE(EndOf(other, std::chrono::seconds(0)).ok());
  Reader* const newcomer = Acquire("a", "a4");
  EXPECT_FALSE(EndOf(newcomer, std::chrono::seconds(0)).ok());
}

}  // namespace
}  // namespace inkstream::transport
