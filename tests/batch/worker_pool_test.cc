#include "server/batch/work/worker_pool.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/hung_disk.h"

namespace inkstream::batch {
namespace {

// Notes who ran, in order; the first piece waits until it may go on.
class Journal {
 public:
  void Note(char who) {
    std::unique_lock<std::mutex> lock(mu_);
    changed_.wait(lock, [this] { return open_; });
    text_.push_back(who);
    changed_.notify_all();
  }
  void Open() {
    const std::lock_guard<std::mutex> lock(mu_);
    open_ = true;
    changed_.notify_all();
  }
  std::string text() {
    const std::lock_guard<std::mutex> lock(mu_);
    return text_;
  }
  std::string Await(size_t length) {
    std::unique_lock<std::mutex> lock(mu_);
    changed_.wait(lock, [&] { return text_.size() >= length; });
    return text_;
  }

 private:
  std::mutex mu_;
  std::condition_variable changed_;
  bool open_ = false;
  std::string text_;
};

// Keeps the only worker of `pool` until the journal opens, so that what is
// added meanwhile stands in the queue in the order of the calls.
void Occupy(WorkerPool* pool, Journal* journal) {
  const auto begun = std::make_shared<std::promise<void>>();
  pool->Post([begun, journal] {
    begun->set_value();
    journal->Note('-');
  });
  begun->get_future().wait();
}

class ReadingSource : public WorkSource {
 public:
  ReadingSource(testing::HungDisk* disk, std::string name)
      : WorkSource("", std::move(name)), disk_(disk) {}
  void RunPiece(WorkerScratch* /*scratch*/) override { disk_->Read(); }

 private:
  testing::HungDisk* const disk_;
};

class NotingSource : public WorkSource {
 public:
  NotingSource(Journal* journal, char name, std::string caller = "")
      : WorkSource(std::move(caller)), journal_(journal), name_(name) {}
  void RunPiece(WorkerScratch* /*scratch*/) override { journal_->Note(name_); }

 private:
  Journal* const journal_;
  const char name_;
};

TEST(WorkerPoolTest, SourcesTakeTurnsHoweverMuchOneHasToDo) {
  Journal journal;
  WorkerPool pool(1);
  Occupy(&pool, &journal);
  pool.Add(std::make_shared<NotingSource>(&journal, 'a'), 6);
  pool.Add(std::make_shared<NotingSource>(&journal, 'b'), 2);
  pool.Add(std::make_shared<NotingSource>(&journal, 'c'), 1);
  journal.Open();
  EXPECT_EQ(journal.Await(10), "-abcabaaaa");
}

TEST(WorkerPoolTest, MorePiecesOfAQueuedSourceDoNotJumpTheQueue) {
  Journal journal;
  WorkerPool pool(1);
  Occupy(&pool, &journal);
  const auto a = std::make_shared<NotingSource>(&journal, 'a');
  pool.Add(a, 3);
  pool.Add(std::make_shared<NotingSource>(&journal, 'b'), 2);
  pool.Add(a, 3);
  journal.Open();
  EXPECT_EQ(journal.Await(9), "-ababaaaa");
}

TEST(WorkerPoolTest, CallersTakeTurnsHoweverManySourcesOneHas) {
  Journal journal;
  WorkerPool pool(1);
  Occupy(&pool, &journal);
  for (const char name : {'a', 'b', 'c'}) {
    pool.Add(std::make_shared<NotingSource>(&journal, name, "many"), 2);
  }
  pool.Add(std::make_shared<NotingSource>(&journal, 'z', "one"), 4);
  journal.Open();
  EXPECT_EQ(journal.Await(11), "-azbzczazbc");
}

TEST(WorkerPoolTest, SixtyFourSourcesOfDifferentSizesGetTheSameWorkDone) {
  constexpr int kSources = 64;
  Journal journal;
  WorkerPool pool(1);
  Occupy(&pool, &journal);
  int total = 0;
  for (int i = 0; i < kSources; ++i) {
    const int pieces = 10 + i % 7 * 30;
    total += pieces;
    pool.Add(std::make_shared<NotingSource>(&journal, static_cast<char>(i + 1)),
             pieces);
  }
  journal.Open();
  const std::string order = journal.Await(1 + total);
  std::vector<int> done(kSources + 1);
  for (size_t i = 1; i <= 10 * kSources; ++i) ++done[order[i]];
  for (int i = 1; i <= kSources; ++i) EXPECT_EQ(done[i], 10) << i;
}

TEST(WorkerPoolTest, WhoSleepsInADiskIsReplacedWhileOthersWait) {
  testing::HungDisk disk;
  Journal journal;
  journal.Open();
  WorkerPool pool(2, 0, WorkerPool::Sleepers::kAreReplaced);
  pool.Add(std::make_shared<ReadingSource>(&disk, "hung"), 10);
  ASSERT_TRUE(testing::Soon([&] { return disk.begun() == 2; }));
  pool.Add(std::make_shared<NotingSource>(&journal, 'b'), 20);
  EXPECT_TRUE(testing::Soon([&] { return journal.text().size() == 20; }));
  // Those who read have their share.
  EXPECT_EQ(disk.begun(), 2);
  disk.Answer();
  EXPECT_TRUE(testing::Soon([&] { return disk.ended() == 10; }));
}

TEST(WorkerPoolTest, AnyNumberOfHungDisksLeavesThreadsForOneThatIsNot) {
  std::vector<std::unique_ptr<testing::HungDisk>> disks;
  Journal journal;
  journal.Open();
  WorkerPool pool(2, 0, WorkerPool::Sleepers::kAreReplaced);
  for (int i = 0; i < 20; ++i) {
    disks.push_back(std::make_unique<testing::HungDisk>());
    pool.Add(
        std::make_shared<ReadingSource>(disks.back().get(), std::to_string(i)),
        10);
  }
  pool.Add(std::make_shared<NotingSource>(&journal, 'b'), 20);
  EXPECT_TRUE(testing::Soon([&] { return journal.text().size() == 20; }));
  for (const auto& disk : disks) EXPECT_LE(disk->begun(), 2);
  for (const auto& disk : disks) disk->Answer();
  for (const auto& disk : disks) {
    EXPECT_TRUE(testing::Soon([&] { return disk->ended() == 10; }));
  }
}

TEST(WorkerPoolTest, APauseWaitsForThoseWhoReplaceSleepersToo) {
  testing::HungDisk disk;
  Journal journal;
  journal.Open();
  WorkerPool pool(1, 0, WorkerPool::Sleepers::kAreReplaced);
  pool.Add(std::make_shared<ReadingSource>(&disk, "hung"), 1);
  pool.Add(std::make_shared<NotingSource>(&journal, 'b'), 1);
  journal.Await(1);
  disk.Answer();
  pool.Pause();
  EXPECT_EQ(disk.ended(), 1);
  pool.Add(std::make_shared<NotingSource>(&journal, 'c'), 2);
  pool.Resume();
  EXPECT_EQ(journal.Await(3), "bcc");
}

TEST(WorkerPoolTest, OnlyItsThreadsAreNicer) {
  const int before = getpriority(PRIO_PROCESS, 0);
  WorkerPool pool(1, 5);
  std::promise<int> found;
  pool.Post([&] { found.set_value(getpriority(PRIO_PROCESS, 0)); });
  EXPECT_EQ(found.get_future().get(), std::min(before + 5, 19));
  EXPECT_EQ(getpriority(PRIO_PROCESS, 0), before);
}

TEST(WorkerPoolTest, SignalsAreForOtherThreads) {
  WorkerPool pool(1);
  std::promise<sigset_t> found;
  pool.Post([&] {
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    found.set_value(blocked);
  });
  const sigset_t blocked = found.get_future().get();
  for (const int other : {SIGINT, SIGTERM, SIGCHLD, SIGUSR1}) {
    EXPECT_TRUE(sigismember(&blocked, other)) << other;
  }
  for (const int own : {SIGSEGV, SIGBUS}) {
    EXPECT_FALSE(sigismember(&blocked, own)) << own;
  }
}

TEST(WorkerPoolTest, WhatIsAnnouncedToAPausedPoolWaitsForItsThreads) {
  Journal journal;
  journal.Open();
  WorkerPool pool(2);
  pool.Add(std::make_shared<NotingSource>(&journal, 'a'), 1);
  journal.Await(1);
  pool.Pause();
  pool.Add(std::make_shared<NotingSource>(&journal, 'b'), 2);
  journal.Note('-');  // there is nobody to come before
  pool.Resume(1);
  EXPECT_EQ(journal.Await(4), "a-bb");
  EXPECT_EQ(pool.threads(), 1);
}

TEST(WorkerPoolTest, APoolOfNoThreadsBeginsWhenItIsGivenSome) {
  Journal journal;
  journal.Open();
  WorkerPool pool(0);
  pool.Resume(2);
  pool.Add(std::make_shared<NotingSource>(&journal, 'a'), 1);
  EXPECT_EQ(journal.Await(1), "a");
}

TEST(WorkerPoolTest, StoppingDropsWhatHasNotBegunAndIsIdempotent) {
  Journal journal;
  journal.Open();
  WorkerPool pool(2);
  pool.Stop();
  pool.Add(std::make_shared<NotingSource>(&journal, 'a'), 1);
  pool.Post([&] { journal.Note('p'); });
  pool.Stop();
  journal.Note('z');
  EXPECT_EQ(journal.Await(1), "z");
}

}  // namespace
}  // namespace inkstream::batch
