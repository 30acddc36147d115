#include "server/batch/work/request_threads.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/base/status_reason.h"
#include "server/batch/work/parked_request.h"

namespace inkstream::batch {
namespace {

// Opening and describing is mostly waiting for a scan; two may run at once so
// that one long scan does not hold up the others.
constexpr int kThreads = 2;
constexpr size_t kMaxRequests = 4096;
constexpr absl::Duration kRetryDelay = absl::Seconds(1);

}  // namespace

class RequestThreads::Request : public WorkSource,
                                public ParkedRequest,
                                public std::enable_shared_from_this<Request> {
 public:
  Request(WorkerPool* pool, const std::string& caller,
          std::function<void(WorkerScratch*)> work,
          std::shared_ptr<Count> count, size_t bytes)
      : WorkSource(caller),
        pool_(pool),
        caller_(caller),
        work_(std::move(work)),
        count_(std::move(count)),
        bytes_(bytes) {}
  ~Request() override {
    const std::lock_guard<std::mutex> lock(count_->mu);
    Leave();
    count_->requests.Remove(caller_, 1);
    count_->bytes.Remove(caller_, bytes_);
  }

  void RunPiece(WorkerScratch* scratch) override {
    const RunningRequest running(shared_from_this());
    work_(scratch);
  }

  const std::string& caller() const override { return caller_; }
  void Resume() override { pool_->Add(shared_from_this(), 1); }

  // It wants `disk`, until it is done. Refused where those that do would have
  // more than half of what others leave of all.
  absl::Status Want(const std::string& disk) {
    const std::lock_guard<std::mutex> lock(count_->mu);
    if (wants_ == disk) return absl::OkStatus();
    Leave();
    Sum& own = count_->disks[disk];
    const Sum& every = count_->every_disk;
    const size_t requests =
        (kMaxRequests - (every.requests - own.requests)) / 2;
    const size_t memory = count_->bytes.limit();
    const size_t bytes =
        (memory - std::min(memory, every.bytes - own.bytes)) / 2;
    if (own.requests > 0 &&
        (own.requests >= requests || own.bytes + bytes_ > bytes)) {
      return WithRetryDelay(
          WithReason(absl::ResourceExhaustedError(absl::StrCat(
                         own.requests, " requests of ", own.bytes,
                         " bytes wait for the disk of ", disk,
                         ", which is slow or answers no more; at most ",
                         requests, " of ", bytes, " bytes may")),
                     kReasonOverloaded),
          kRetryDelay);
    }
    for (Sum* const sum : {&own, &count_->every_disk}) {
      ++sum->requests;
      sum->bytes += bytes_;
    }
    wants_ = disk;
    return absl::OkStatus();
  }

  // It is run again when there is room for one more that sleeps in `disk`.
  absl::Status ResumeFor(const std::string& disk) {
    set_disk(disk);
    Resume();
    return ParkedStatus();
  }

 private:
  // The disk that it wanted, with count_->mu held.
  void Leave() {
    if (wants_.empty()) return;
    const auto found = count_->disks.find(wants_);
    for (Sum* const sum : {&found->second, &count_->every_disk}) {
      --sum->requests;
      sum->bytes -= bytes_;
    }
    if (found->second.requests == 0) count_->disks.erase(found);
    wants_.clear();
  }

  WorkerPool* const pool_;
  const std::string caller_;
  const std::function<void(WorkerScratch*)> work_;
  const std::shared_ptr<Count> count_;
  const size_t bytes_;
  std::string wants_;  // a disk; guarded by count_->mu
};

RequestThreads::Count::Count(size_t memory)
    : requests(kMaxRequests), bytes(memory) {}

RequestThreads::RequestThreads(size_t memory, bool at_once)
    : count_(std::make_shared<Count>(memory)),
      pool_(at_once ? kThreads : 0, /*niceness=*/0,
            WorkerPool::Sleepers::kAreReplaced) {
  pool_.Resume(kThreads);
}

absl::Status RequestThreads::Run(const std::string& caller, size_t bytes,
                                 std::function<void(WorkerScratch*)> work) {
  {
    const std::lock_guard<std::mutex> lock(count_->mu);
    CallerSums& requests = count_->requests;
    CallerSums& all_bytes = count_->bytes;
    if (!requests.Fits(caller, 1) || !all_bytes.Fits(caller, bytes)) {
      return WithRetryDelay(
          WithReason(
              absl::ResourceExhaustedError(absl::StrCat(
                  requests.all(), " requests of ", all_bytes.all(),
                  " bytes wait for their turn already, ", requests.Of(caller),
                  " of them from ", caller, ", and this one has another ",
                  bytes, "; at most ", kMaxRequests, " of ", all_bytes.limit(),
                  " bytes may, seven eighths of that from one caller")),
              kReasonOverloaded),
          kRetryDelay);
    }
    requests.Add(caller, 1);
    all_bytes.Add(caller, bytes);
  }
  pool_.Add(
      std::make_shared<Request>(&pool_, caller, std::move(work), count_, bytes),
      1);
  return absl::OkStatus();
}

absl::Status RequestThreads::MaySleepIn(const std::string& disk) {
  const auto request = std::static_pointer_cast<Request>(CurrentRequest());
  if (request == nullptr) return absl::OkStatus();
  absl::Status status = request->Want(disk);
  if (!status.ok() || pool_.MaySleepIn(disk)) return status;
  return request->ResumeFor(disk);
}

}  // namespace inkstream::batch
