#include "server/page/page.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/base/json.h"
#include "server/batch/engine.h"
#include "server/batch/work/parked_request.h"
#include "server/page/drawing_json.h"
#include "server/page/page_answer.h"
#include "server/page/pixel_pool.h"
#include "server/service/service.h"
#include "server/wire/messages.h"

namespace inkstream::page {
namespace {

using google::protobuf::util::JsonPrintOptions;
using google::protobuf::util::JsonStringToMessage;
using google::protobuf::util::MessageToJsonString;
using ops::HttpAnswer;
using ops::HttpDone;
using ops::HttpRequest;

// All who look at the page share one caller's turns.
constexpr char kCaller[] = "page";

// Names as the contract's files write them; numbers also where they are 0.
absl::StatusOr<std::string> JsonOf(const google::protobuf::Message& message) {
  JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto printed = MessageToJsonString(message, &json, options);
  if (!printed.ok()) return absl::InternalError(printed.ToString());
  return json;
}

absl::StatusOr<size_t> CheckedSize(const batch::ExplainedPlan& plan) {
  size_t drawings = 0;
  for (const batch::PlannedStep& step : plan.steps) {
    drawings += step.indices.size();
  }
  if (drawings <= kMaxDrawings) return drawings;
  return absl::InvalidArgumentError(
      absl::StrCat("delivery.batch_size: ", drawings,
                   " drawings asked for; at most ", kMaxDrawings, " a page"));
}

HttpAnswer PixelsOf(const batch::FetchedBatch& fetched) {
  const auto& tensors = fetched.batch.tensors;
  const auto image =
      std::find_if(tensors.begin(), tensors.end(),
                   [](const TensorInfo& info) { return info.name == "image"; });
  const uint8_t* const bytes =
      fetched.batch.buffer->data() + fetched.batch.offset + image->offset;
  return BytesAnswer({reinterpret_cast<const char*>(bytes), image->length});
}

}  // namespace

std::shared_ptr<Page> Page::Create(const service::Service& service,
                                   size_t pixel_bytes, StatusOf status,
                                   Authorize authorize) {
  return std::shared_ptr<Page>(
      new Page(service, pixel_bytes, std::move(status), std::move(authorize)));
}

Page::Page(const service::Service& service, size_t pixel_bytes, StatusOf status,
           Authorize authorize)
    : service_(service),
      memory_(service.engine->Arbitrate(
          std::make_shared<PixelPool>(std::max(pixel_bytes, kMaxPixelBytes)))),
      status_(std::move(status)),
      authorize_(std::move(authorize)) {}

struct Page::Route {
  absl::string_view path;
  Handler handler;
};

void Page::Answer(HttpRequest request, HttpDone done) {
  constexpr Route kRoutes[] = {
      {"/api/datasets", &Page::Datasets}, {"/api/dataset", &Page::Describe},
      {"/api/drawings", &Page::Drawings}, {"/api/drawing", &Page::Inspect},
      {"/api/status", &Page::Status},     {"/api/pixels", nullptr}};
  if (request.path == "/") return done(FileAnswer());
  const auto* const route = std::find_if(
      std::begin(kRoutes), std::end(kRoutes),
      [&request](const Route& one) { return one.path == request.path; });
  if (route == std::end(kRoutes)) return done(NoSuchPage());
  // Another site's page cannot read what is here, and need not make work
  // either.
  if (!request.fetch_site.empty() && request.fetch_site != "same-origin" &&
      request.fetch_site != "none") {
    return done(StatusAnswer(absl::PermissionDeniedError(
        "this is for the page of this server, not for other sites")));
  }
  size_t bytes = request.path.size();
  for (const auto& [name, value] : request.parameters) bytes += value.size();
  const absl::Status queued = service_.engine->Run(
      kCaller, bytes,
      [self = shared_from_this(), request = std::move(request), done,
       handler = route->handler] {
        if (handler == nullptr) {
          const absl::Status begun = self->Pixels(request, done);
          if (!begun.ok()) done(StatusAnswer(begun));
          return;
        }
        const absl::StatusOr<std::string> json =
            (self.get()->*handler)(request);
        if (batch::IsParked(json.status())) return;
        done(json.ok() ? JsonAnswer(*json) : StatusAnswer(json.status()));
      });
  if (!queued.ok()) done(StatusAnswer(queued));
}

absl::Status Page::MaySee(const HttpRequest& request,
                          const std::string& dataset) const {
  if (authorize_ == nullptr) return absl::OkStatus();
  std::string name = dataset;
  if (name.empty()) {
    // It stands for the only one.
    const std::vector<std::string> all = service_.engine->datasets();
    if (all.size() == 1) name = all.front();
  }
  return authorize_(request.authorization, name);
}

template <typename Message>
absl::StatusOr<Message> Page::Read(const HttpRequest& request) const {
  const auto given = request.parameters.find("request");
  Message message;
  if (given != request.parameters.end()) {
    const auto parsed = JsonStringToMessage(given->second, &message);
    if (!parsed.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("request: no ", message.GetTypeName(), ": ",
                       std::string(parsed.message())));
    }
  }
  absl::Status seen = MaySee(request, message.dataset());
  if (seen.ok() && authorize_ != nullptr && message.dataset().empty() &&
      service_.engine->datasets().size() != 1) {
    // What there is to choose from is not for everybody.
    seen = absl::InvalidArgumentError("dataset: name one; several are served");
  }
  if (!seen.ok()) return seen;
  return message;
}

absl::StatusOr<std::string> Page::Datasets(const HttpRequest& request) const {
  if (authorize_ != nullptr) {
    absl::Status known = authorize_(request.authorization, "");
    if (!known.ok()) return known;
  }
  Json datasets = Json::array();
  for (const batch::ServedStore& served : service_.engine->stores()) {
    if (!MaySee(request, served.dataset).ok()) continue;
    const store::StoreInfo& info = served.store->info();
    datasets.push_back({{"dataset", served.dataset},
                        {"fingerprint", info.fingerprint},
                        {"generation", info.generation},
                        {"drawings", info.drawings},
                        {"classes", info.classes.size()},
                        {"bytes", info.bytes_on_disk},
                        {"with_times", info.with_times},
                        {"problem", served.problem}});
  }
  return JsonLine({{"version", service_.version}, {"datasets", datasets}});
}

absl::StatusOr<std::string> Page::Describe(const HttpRequest& request) const {
  const auto read = Read<v1::DescribeDatasetRequest>(request);
  if (!read.ok()) return read.status();
  v1::DescribeDatasetResponse response;
  absl::Status status = service::DescribeDataset(service_, *read, &response);
  if (!status.ok()) return status;
  return JsonOf(response);
}

absl::StatusOr<std::string> Page::Drawings(const HttpRequest& request) const {
  const auto read = Read<v1::ExplainPlanRequest>(request);
  if (!read.ok()) return read.status();
  v1::StreamBatchesRequest opening;
  opening.set_dataset(read->dataset());
  *opening.mutable_open() = read->open();
  const absl::StatusOr<Plan> plan = wire::PlanFromProto(opening);
  if (!plan.ok()) return plan.status();
  batch::StepsAsked asked = {read->epoch(), read->step(), /*count=*/0};
  absl::StatusOr<batch::ExplainedPlan> explained =
      service_.engine->Explain(*plan, asked);
  if (explained.ok() && asked.first < explained->steps_left) {
    asked.count = 1;
    explained = service_.engine->Explain(*plan, asked);
  }
  if (!explained.ok()) return explained.status();
  const absl::StatusOr<size_t> size = CheckedSize(*explained);
  if (!size.ok()) return size.status();
  Json drawings = Json::array();
  for (const batch::PlannedStep& step : explained->steps) {
    for (const int64_t index : step.indices) {
      const absl::StatusOr<batch::InspectedDrawing> drawing =
          service_.engine->Inspect(explained->dataset, index, /*key_id=*/0);
      if (drawing.ok()) {
        drawings.push_back(DrawingJson(*drawing, kGalleryPoints));
      } else if (absl::IsDataLoss(drawing.status())) {
        drawings.push_back(
            {{"index", index},
             {"problem", std::string(drawing.status().message())}});
      } else {
        return drawing.status();
      }
    }
  }
  return JsonLine(
      {{"dataset", explained->dataset},
       {"fingerprint", explained->start.fingerprint},
       {"view_drawings", explained->view_size},
       {"steps_per_epoch", explained->steps_per_epoch},
       {"position",
        explained->steps.empty() ? 0 : explained->steps.front().step.first},
       {"drawings", drawings}});
}

absl::StatusOr<std::string> Page::Inspect(const HttpRequest& request) const {
  const auto read = Read<v1::InspectDrawingRequest>(request);
  if (!read.ok()) return read.status();
  if (read->drawing_case() == v1::InspectDrawingRequest::DRAWING_NOT_SET) {
    return absl::InvalidArgumentError("give an index or a key_id");
  }
  if (read->has_key_id() && read->key_id() < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("key_id: ", read->key_id(), " is not in 1..2^63-1"));
  }
  const absl::StatusOr<batch::InspectedDrawing> drawing =
      service_.engine->Inspect(read->dataset(), read->index(), read->key_id());
  if (!drawing.ok()) return drawing.status();
  return JsonLine(DrawingJson(*drawing, kAllPoints));
}

absl::StatusOr<std::string> Page::Status(const HttpRequest& request) const {
  if (authorize_ != nullptr) {
    absl::Status known = authorize_(request.authorization, "");
    if (!known.ok()) return known;
  }
  v1::GetStatusResponse response;
  absl::Status status = status_(&response);
  if (!status.ok()) return status;
  auto* const streams = response.mutable_streams();
  streams->erase(
      std::remove_if(streams->begin(), streams->end(),
                     [&](const v1::StreamStatus& stream) {
                       return !MaySee(request, stream.dataset()).ok();
                     }),
      streams->end());
  return JsonOf(response);
}

// Answers by `done` where it is OK.
absl::Status Page::Pixels(const HttpRequest& request,
                          const HttpDone& done) const {
  const auto read = Read<v1::FetchDrawingsRequest>(request);
  if (!read.ok()) return read.status();
  absl::StatusOr<batch::FetchPlan> plan = service::FetchPlanFromProto(*read);
  if (!plan.ok()) return plan.status();
  if (!plan->delivery.image.has_value()) {
    return absl::InvalidArgumentError(
        "delivery.image: none is asked for; give one, such as {\"height\": "
        "64}");
  }
  const absl::StatusOr<uint64_t> bytes = service_.engine->PriceFetch(*plan);
  if (!bytes.ok()) return bytes.status();
  if (*bytes > kMaxPixelBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "delivery.image: the pixels come to ", *bytes, " bytes; at most ",
        kMaxPixelBytes, " a page: ask for fewer, or a smaller image"));
  }
  service_.engine->Fetch(
      *std::move(plan), memory_, {kCaller, read->ByteSizeLong()},
      [done](const absl::StatusOr<batch::FetchedBatch>& fetched) {
        done(fetched.ok() ? PixelsOf(*fetched)
                          : StatusAnswer(fetched.status()));
      });
  return absl::OkStatus();
}

}  // namespace inkstream::page
