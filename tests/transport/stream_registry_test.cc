// Streams that are open: their numbers, their sums, and how they are ended.
#include "server/transport/status/stream_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/base/status_reason.h"

namespace inkstream::transport {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using Clock = StreamSession::Clock;

// Ends streams as they ask to be ended.
class EndingSink : public BatchSink {
 public:
  absl::StatusOr<bool> WriteOpened(const batch::StreamFacts&) override {
    return true;
  }
  absl::StatusOr<bool> Write(std::vector<batch::FinishedBatch>) override {
    return true;
  }
  void Finish(const batch::Ended&) override { End(absl::OkStatus()); }
  void Finish(const absl::Status& status) override { End(status); }
  void Abort(const absl::Status& status) override { End(status); }

  // Waits for as long as ctest lets it.
  absl::Status Await() {
    std::unique_lock<std::mutex> lock(mu_);
    changed_.wait(lock, [this] { return end_.has_value(); });
    return *end_;
  }
  bool ended() {
    const std::lock_guard<std::mutex> lock(mu_);
    return end_.has_value();
  }

 private:
  void End(const absl::Status& status) {
    const std::lock_guard<std::mutex> lock(mu_);
    end_ = status;
    changed_.notify_all();
  }

  std::mutex mu_;
  std::condition_variable changed_;
  std::optional<absl::Status> end_;
};

class NotingObserver : public CallObserver {
 public:
  void OnStreamOpened(const StreamReport&) override { ++opened; }
  void OnStreamEnded(const StreamReport&) override { ++ended; }
  void OnRefused(const std::string& method, const Peer& peer,
                 const absl::Status& status) override {
    refused.push_back(method + " of " + peer.name + ": " +
                      std::string(status.message()));
  }

  int opened = 0;
  int ended = 0;
  std::vector<std::string> refused;
};

struct Stream {
  std::unique_ptr<EndingSink> sink = std::make_unique<EndingSink>();
  std::shared_ptr<StreamSession> session;
};

class StreamRegistryTest : public ::testing::Test {
 protected:
  ~StreamRegistryTest() override {
    for (Stream& stream : streams_) stream.session->Detach();
  }

  // One whose client has not said yet what it wants.
  Stream& Add(StreamRegistry* registry, const std::string& peer = "peer") {
    Stream& stream = streams_.emplace_back();
    stream.session = std::make_shared<StreamSession>(stream.sink.get(),
                                                     Peer{peer, peer, false});
    registry->Add(stream.session);
    return stream;
  }

  NotingObserver observer_;
  std::deque<Stream> streams_;
};

TEST_F(StreamRegistryTest, NumbersAreGivenOnce) {
  StreamRegistry registry(hours(1), milliseconds(0));
  std::vector<uint64_t> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(Add(&registry).session->id());
  registry.Remove(ids[1]);
  registry.Remove(ids[1]);  // told twice
  registry.Remove(12345);   // or of none
  ids.push_back(Add(&registry).session->id());
  EXPECT_THAT(ids, ElementsAre(1, 2, 3, 4));
  std::vector<uint64_t> open;
  for (const StreamReport& report : registry.Reports()) {
    open.push_back(report.id);
  }
  EXPECT_THAT(open, ElementsAre(1, 3, 4));
}

TEST_F(StreamRegistryTest, WhatNeverOpenedIsToldAsRefused) {
  StreamRegistry registry(hours(1), milliseconds(0), &observer_);
  const Stream& wrong = Add(&registry, "one");
  wrong.session->Fail(absl::InvalidArgumentError("a wrong plan"));
  registry.Remove(wrong.session->id());
  const Stream& gone = Add(&registry, "two");
  gone.session->OnPeerGone();
  registry.Remove(gone.session->id());
  EXPECT_THAT(observer_.refused,
              ElementsAre("StreamBatches of one: a wrong plan"));
  EXPECT_EQ(observer_.opened + observer_.ended, 0);
  EXPECT_TRUE(registry.Reports().empty());
}

TEST_F(StreamRegistryTest, ADrainEndsAllAndWhateverComesAfterIt) {
  StreamRegistry registry(hours(1), milliseconds(0));
  EXPECT_FALSE(registry.leaving());
  for (int i = 0; i < 5; ++i) Add(&registry);
  registry.Leave();
  EXPECT_TRUE(registry.leaving());
  EXPECT_FALSE(registry.draining());
  for (Stream& stream : streams_) EXPECT_FALSE(stream.sink->ended());
  registry.Drain(milliseconds(30));
  EXPECT_TRUE(registry.draining());
  EXPECT_FALSE(registry.WaitUntilEmpty(Clock::now()));
  for (Stream& stream : streams_) {
    const absl::Status end = stream.sink->Await();
    EXPECT_EQ(ReasonOf(end), kReasonDrain) << end;
  }
  const absl::Status late = Add(&registry).sink->Await();
  EXPECT_EQ(ReasonOf(late), kReasonDrain) << late;
  for (Stream& stream : streams_) registry.Remove(stream.session->id());
  EXPECT_TRUE(registry.WaitUntilEmpty(Clock::now() + hours(1)));
}

TEST_F(StreamRegistryTest, AnotherStallCountsFromTheNextLookOn) {
  std::promise<void> looked;
  std::once_flag once;
  StreamRegistry registry(hours(1), milliseconds(0));
  registry.AlsoWatch([&](Clock::time_point since) {
    if (Clock::now() - since > std::chrono::minutes(30)) return;
    std::call_once(once, [&] { looked.set_value(); });
  });
  registry.SetTimes(milliseconds(20), milliseconds(0));
  looked.get_future().wait();  // for as long as ctest lets it
}

}  // namespace
}  // namespace inkstream::transport
