// The page to look at: GET / is one file for a browser, and GET /api/… is what
// its script asks for. Read-only.
//
// Requests of /api are the contract's messages as JSON in the parameter
// `request`, so a field has one name and one meaning everywhere; README.md
// lists them. What asks the engine runs on its request threads, and never on
// the thread that answers probes.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <inkstream/v1/service.pb.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/batch/work/memory_arbiter.h"
#include "server/ops/http_exchange.h"
#include "server/service/service.h"

namespace inkstream::page {

// Drawings of one answer, at most.
inline constexpr size_t kMaxDrawings = 200;
// Bytes of pixels of one answer, at most.
inline constexpr size_t kMaxPixelBytes = size_t{4} << 20U;

// Whether whoever sent this Authorization header ("": none) may see the dataset
// ("": anything at all). UNAUTHENTICATED: with a token, perhaps.
using Authorize = std::function<absl::Status(const std::string& authorization,
                                             const std::string& dataset)>;

// As the contract has it, of all datasets. UNAVAILABLE: not serving yet.
using StatusOf = std::function<absl::Status(v1::GetStatusResponse*)>;

class Page : public std::enable_shared_from_this<Page> {
 public:
  // `pixel_bytes`: of pixels that are being drawn, at least kMaxPixelBytes.
  // `authorize` null: whoever asks may see everything.
  static std::shared_ptr<Page> Create(const service::Service& service,
                                      size_t pixel_bytes, StatusOf status,
                                      Authorize authorize = nullptr);

  // What an ops::HttpHandler does. The engine outlives its requests.
  void Answer(ops::HttpRequest request, ops::HttpDone done);

 private:
  struct Route;
  using Handler = absl::StatusOr<std::string> (Page::*)(
      const ops::HttpRequest& request) const;

  Page(const service::Service& service, size_t pixel_bytes, StatusOf status,
       Authorize authorize);

  absl::StatusOr<std::string> Datasets(const ops::HttpRequest& request) const;
  absl::StatusOr<std::string> Describe(const ops::HttpRequest& request) const;
  absl::StatusOr<std::string> Drawings(const ops::HttpRequest& request) const;
  absl::StatusOr<std::string> Inspect(const ops::HttpRequest& request) const;
  absl::StatusOr<std::string> Status(const ops::HttpRequest& request) const;
  absl::Status Pixels(const ops::HttpRequest& request,
                      const ops::HttpDone& done) const;

  // Parses the request and checks that its sender may see its dataset.
  template <typename Message>
  absl::StatusOr<Message> Read(const ops::HttpRequest& request) const;
  absl::Status MaySee(const ops::HttpRequest& request,
                      const std::string& dataset) const;

  const service::Service service_;
  const std::shared_ptr<batch::MemoryArbiter> memory_;  // of pixels
  const StatusOf status_;
  const Authorize authorize_;
};

}  // namespace inkstream::page
