#include "client/engine/local_fetch.h"

#include <utility>

#include "server/batch/work/memory_arbiter.h"
#include "server/service/service.h"

namespace inkstream::engine {

absl::StatusOr<std::shared_ptr<LocalStream>> LocalFetch::Open(
    std::shared_ptr<void> owner, batch::Engine* engine,
    const v1::FetchDrawingsRequest& request) {
  absl::StatusOr<batch::FetchPlan> plan = service::FetchPlanFromProto(request);
  if (!plan.ok()) return plan.status();
  plan->delivery.codec = Codec::kNone;  // nothing travels
  absl::StatusOr<uint64_t> bytes = engine->PriceFetch(*plan);
  if (!bytes.ok()) return bytes.status();
  return std::shared_ptr<LocalStream>(
      new LocalFetch(std::move(owner), engine, *bytes, *std::move(plan)));
}

absl::Status LocalFetch::Offer(uint64_t token, void* memory, size_t size) {
  {
    const std::lock_guard<std::mutex> lock(answer_->mu);
    if (answer_->begun) {
      return absl::FailedPreconditionError(
          "a fetch is one batch, for which there is memory already");
    }
    absl::Status status = memory_->Offer(token, memory, size);
    if (!status.ok()) return status;
    answer_->begun = true;
  }
  std::function<void()> end =
      engine_->FetchHere(std::move(plan_), engine_->Arbitrate(memory_),
                         [answer = answer_, signal = signal_](
                             absl::StatusOr<batch::FetchedBatch> fetched) {
                           {
                             const std::lock_guard<std::mutex> lock(answer->mu);
                             // Else it is dropped here, for Close() to see its
                             // memory free.
                             if (!answer->cancelled)
                               answer->fetched = std::move(fetched);
                           }
                           signal->Set();
                         });
  bool cancelled = false;
  {
    const std::lock_guard<std::mutex> lock(answer_->mu);
    answer_->end = end;
    cancelled = answer_->cancelled;
  }
  if (cancelled) end();
  return absl::OkStatus();
}

absl::StatusOr<NextResult> LocalFetch::TryNext() {
  std::optional<absl::StatusOr<batch::FetchedBatch>> fetched;
  {
    const std::lock_guard<std::mutex> lock(answer_->mu);
    if (answer_->cancelled) {
      return absl::CancelledError("the fetch was cancelled");
    }
    if (taken_) return NextResult{{.kind = IK_END}, ""};
    fetched.swap(answer_->fetched);
  }
  if (!fetched.has_value()) return NextResult{};
  if (!fetched->ok()) return fetched->status();
  taken_ = true;
  opened_ = service::OpenedOf((*fetched)->facts).SerializeAsString();
  return Drawn((*fetched)->facts, std::move((*fetched)->batch));
}

void LocalFetch::End() {
  std::function<void()> end;
  std::optional<absl::StatusOr<batch::FetchedBatch>> dropped;
  {
    const std::lock_guard<std::mutex> lock(answer_->mu);
    answer_->cancelled = true;
    end = answer_->end;
    dropped.swap(answer_->fetched);
  }
  if (end != nullptr) end();
  memory_->Close();
  signal_->Set();
}

}  // namespace inkstream::engine
