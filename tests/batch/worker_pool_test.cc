#include "server/batch/worker_pool.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

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

class NotingSource : public WorkSource {
 public:
  NotingSource(Journal* journal, char name) : journal_(journal), name_(name) {}
  void RunPiece(WorkerScratch* /*scratch*/) override { journal_->Note(name_); }

 private:
  Journal* const journal_;
  const char name_;
};

TEST(WorkerPoolTest, SourcesTakeTurnsHoweverMuchOneHasToDo) {
  Journal journal;
  WorkerPool pool(1);
  pool.Add(std::make_shared<NotingSource>(&journal, 'a'), 6);
  pool.Add(std::make_shared<NotingSource>(&journal, 'b'), 2);
  pool.Add(std::make_shared<NotingSource>(&journal, 'c'), 1);
  journal.Open();
  const std::string order = journal.Await(9);
  // The worker may have begun with 'a' before the others came.
  EXPECT_EQ(order.substr(order.find('b')).substr(0, 4), "bcab") << order;
  EXPECT_EQ(order.substr(order.size() - 3), "aaa") << order;
}

TEST(WorkerPoolTest, MorePiecesOfAQueuedSourceDoNotJumpTheQueue) {
  Journal journal;
  WorkerPool pool(1);
  const auto a = std::make_shared<NotingSource>(&journal, 'a');
  pool.Add(a, 3);
  pool.Add(std::make_shared<NotingSource>(&journal, 'b'), 2);
  pool.Add(a, 3);
  journal.Open();
  const std::string order = journal.Await(8);
  EXPECT_LE(order.find_last_of('b'), 4U) << order;
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
