#include "server/batch/request_threads.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/batch/status_reason.h"

namespace inkstream::batch {
namespace {

// Opening and describing is mostly waiting for a scan; two may run at once so
// that one long scan does not hold up the others.
constexpr int kThreads = 2;
constexpr uint32_t kMaxWaiting = 4096;
constexpr absl::Duration kRetryDelay = absl::Seconds(1);

}  // namespace

class RequestThreads::Request : public WorkSource {
 public:
  Request(std::function<void(WorkerScratch*)> work,
          std::shared_ptr<std::atomic<uint32_t>> waiting)
      : work_(std::move(work)), waiting_(std::move(waiting)) {}

  void RunPiece(WorkerScratch* scratch) override {
    waiting_->fetch_sub(1);
    work_(scratch);
  }

 private:
  const std::function<void(WorkerScratch*)> work_;
  const std::shared_ptr<std::atomic<uint32_t>> waiting_;
};

RequestThreads::RequestThreads()
    : pool_(kThreads), waiting_(std::make_shared<std::atomic<uint32_t>>(0)) {}

absl::Status RequestThreads::Run(std::function<void(WorkerScratch*)> work) {
  if (waiting_->fetch_add(1) >= kMaxWaiting) {
    waiting_->fetch_sub(1);
    return WithRetryDelay(
        WithReason(absl::ResourceExhaustedError(absl::StrCat(
                       kMaxWaiting, " requests wait for their turn already")),
                   kReasonOverloaded),
        kRetryDelay);
  }
  pool_.Add(std::make_shared<Request>(std::move(work), waiting_), 1);
  return absl::OkStatus();
}

}  // namespace inkstream::batch
