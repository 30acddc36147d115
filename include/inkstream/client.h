// A client of one or several Inkstream servers.
//
//   auto client = inkstream::Client::Connect({"host:50051"});
//   auto stream = (*client)->Stream(plan);
//   for (;;) {
//     absl::StatusOr<std::optional<Batch>> batch = (*stream)->Next();
//     if (!batch.ok() || !batch->has_value()) break;  // error, or the end
//     ...
//   }
//
// Errors carry the server's code and text as they are; errors.h reads the
// reason and the delay that may come with them. Besides those: UNAVAILABLE,
// no server answers; DEADLINE_EXCEEDED, it answers too slowly; INTERNAL, it
// breaks the protocol.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "inkstream/batch.h"
#include "inkstream/dataset_info.h"
#include "inkstream/plan.h"
#include "inkstream/plan_report.h"
#include "inkstream/security_options.h"
#include "inkstream/stream.h"

namespace inkstream {

struct ClientOptions {
  SecurityOptions security;

  // Behaviour.
  absl::Duration connect_timeout = absl::Seconds(10);
  absl::Duration call_timeout = absl::Seconds(60);  // Describe, Fetch, opening
  // A server that sends nothing for this long while the reader waits for a
  // batch counts as gone.
  absl::Duration stall_timeout = absl::Seconds(120);
  // How long a stream whose server went away tries all targets, at the cursor
  // of the last batch received. A quota is waited for as long as the server
  // says. Zero: not at all.
  absl::Duration failover_timeout = absl::Minutes(5);

  // Performance.
  // Batches held for the reader, 1..256; fewer where they would come to more
  // than max_read_ahead_bytes, but two at least. 0: 8, or of those that come as
  // strokes what a mebibyte holds; few of them are drawn ahead.
  uint32_t read_ahead = 0;
  uint64_t max_read_ahead_bytes = 128ULL << 20U;
  // Largest message asked for. About 4 MiB carries best.
  uint32_t max_message_bytes = (4U << 20U) + (256U << 10U);
  // Refused before anything is allocated.
  uint64_t max_batch_bytes = 1ULL << 30U;
  // Threads that draw batches which come as strokes; 0: as many as CPUs may be
  // used. All streams of the process share them: the largest number holds.
  // Where several processes train on one machine, each is to have its share.
  uint32_t drawing_threads = 0;
};

// Random access: exactly one of the lists is set; repeats are allowed.
struct FetchRequest {
  std::string dataset;
  std::string fingerprint;  // hex; empty: of the generation in use
  View view;                // what `ranks` count in
  std::vector<uint64_t> indices;
  std::vector<uint64_t> ranks;
  std::vector<int64_t> key_ids;
  std::optional<ImageSpec> image;
  std::optional<StrokesSpec> strokes;
  // With a stream's augmentation, seed and epoch, each drawing comes as that
  // stream gave it.
  std::optional<AugmentSpec> augment;
  uint32_t views = 1;
  uint64_t seed = 0;
  uint64_t epoch = 0;
  uint32_t first_view = 0;  // number of the first of `views` copies
  std::vector<std::string> columns;
  int64_t ignore_index = -100;
  Codec codec = Codec::kAuto;
};

// A weight a drawing, for Sampling::drawings. Drawings that are not named have
// none.
struct DrawingWeights {
  std::vector<int64_t> keys;      // key_ids; or
  std::vector<uint64_t> indices;  // in the store
  std::vector<double> weights;    // one each, finite and >= 0, some above 0
};

struct UploadedKeys {
  std::string hash;   // for View::include_keys and exclude_keys, and
                      // Sampling::drawings
  uint64_t keys = 0;  // different ones
};

// Thread safety: every method may be called from any thread.
class Client {
 public:
  // Targets: "host:port", "dns:///host:port", "unix:/path". All of them serve
  // the same data; the first that answers is used. INVALID_ARGUMENT: not a
  // target. UNAVAILABLE: none answered within connect_timeout.
  static absl::StatusOr<std::shared_ptr<Client>> Connect(
      const std::vector<std::string>& targets,
      const ClientOptions& options = {});

  virtual ~Client() = default;

  // `dataset` may be empty where the server has one. `fingerprint`: of a
  // generation that is served, hex; empty: of the one in use.
  virtual absl::StatusOr<DatasetInfo> Describe(
      const std::string& dataset, const View& view = {},
      const std::string& fingerprint = "") = 0;

  // Blocks until the server has accepted or refused the plan. The stream
  // keeps what it needs of the client alive.
  virtual absl::StatusOr<std::unique_ptr<inkstream::Stream>> Stream(
      const Plan& plan) = 0;

  // The drawings asked for, in that order, as one batch.
  virtual absl::StatusOr<Batch> Fetch(const FetchRequest& request) = 0;

  // What Stream(plan) would deliver. Errors as Stream()'s.
  virtual absl::StatusOr<PlanReport> Explain(const Plan& plan,
                                             const StepQuery& query = {}) = 0;

  // Gives a set of key_ids, 1..2^63-1, a name that views can use. The client
  // keeps the set for as long as it lives and sends it again, unasked, to
  // servers that do not have it (any more).
  virtual absl::StatusOr<UploadedKeys> UploadKeys(
      std::vector<int64_t> keys) = 0;

  // The same of weights, which samplings can use.
  virtual absl::StatusOr<UploadedKeys> UploadWeights(
      DrawingWeights weights) = 0;
};

}  // namespace inkstream
