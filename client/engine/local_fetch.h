// One FetchDrawings of an engine in this process.
//
// Thread safety: as LocalStream.
#pragma once

#include <inkstream/v1/service.pb.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "client/engine/local_stream.h"
#include "server/batch/engine.h"

namespace inkstream::engine {

class LocalFetch : public LocalStream {
 public:
  static absl::StatusOr<std::shared_ptr<LocalStream>> Open(
      std::shared_ptr<void> owner, batch::Engine* engine,
      const v1::FetchDrawingsRequest& request);
  ~LocalFetch() override { End(); }

  const std::string& opened() const override { return opened_; }
  // Draws as much of it as is best drawn here; once.
  absl::Status Offer(uint64_t token, void* memory, size_t size) override;
  absl::StatusOr<NextResult> TryNext() override;
  void Cancel() override { End(); }

 private:
  void End();

  LocalFetch(std::shared_ptr<void> owner, batch::Engine* engine,
             uint64_t batch_bytes, batch::FetchPlan plan)
      : LocalStream(batch_bytes, /*most_ahead=*/1),
        owner_(std::move(owner)),
        engine_(engine),
        plan_(std::move(plan)) {}

  // What the thread that draws last refers to.
  struct Answer {
    std::mutex mu;  // guards everything below
    bool begun = false;
    bool cancelled = false;
    std::function<void()> end;
    std::optional<absl::StatusOr<batch::FetchedBatch>> fetched;
  };

  const std::shared_ptr<void> owner_;
  batch::Engine* const engine_;
  batch::FetchPlan plan_;  // until it is begun
  std::string opened_;     // by TryNext()
  bool taken_ = false;     // likewise
  const std::shared_ptr<Answer> answer_ = std::make_shared<Answer>();
};

}  // namespace inkstream::engine
