#include <string>

#include "absl/algorithm/container.h"
#include "server/order/window_shuffle.h"
#include "server/raster/draw/rasterizer.h"
#include "server/raster/tensor/channel.h"
#include "server/service/service.h"
#include "server/wire/messages.h"

namespace inkstream::service {
namespace {

void AddColumn(const char* name, v1::DType dtype, uint64_t present,
               const char* description, v1::DescribeDatasetResponse* response) {
  v1::Column* const column = response->add_columns();
  column->set_name(name);
  column->set_dtype(dtype);
  column->set_present(present);
  column->set_description(description);
}

void AddColumns(const store::StoreInfo& info,
                v1::DescribeDatasetResponse* response) {
  AddColumn("label", v1::DTYPE_INT64, info.drawings - info.unlabelled,
            "class id: rank of the word, or place in view.classes; "
            "delivery.ignore_index where there is none",
            response);
  AddColumn("word", v1::DTYPE_INT64, info.drawings - info.unlabelled,
            "index into the tensor's vocabulary; -1: none", response);
  AddColumn("countrycode", v1::DTYPE_INT64, info.with_countrycode,
            "index into the tensor's vocabulary; -1: none", response);
  AddColumn("timestamp", v1::DTYPE_INT64, info.with_timestamp,
            "microseconds since 1970 UTC; -1: none", response);
  AddColumn("recognized", v1::DTYPE_INT64, info.with_recognized,
            "0 or 1; -1: none", response);
  AddColumn("key_id", v1::DTYPE_INT64, info.with_key_id,
            "1 to 2^63-1; -1: none", response);
  AddColumn("index", v1::DTYPE_INT64, info.drawings,
            "place in the store; in every batch", response);
  AddColumn("valid", v1::DTYPE_BOOL, info.drawings,
            "false: a row that only fills the batch; in every batch", response);
}

void AddLimits(const Service& service, v1::DescribeDatasetResponse* response) {
  const batch::Limits& limits = service.engine->options().limits;
  v1::Limits* const proto = response->mutable_limits();
  proto->set_max_image_side(limits.max_image_side);
  proto->set_max_batch_size(limits.max_batch_size);
  proto->set_max_batch_bytes(limits.max_batch_bytes);
  proto->set_max_stroke_len(limits.max_stroke_len);
  proto->set_max_views(limits.max_views);
  proto->set_max_fetch_indices(limits.max_fetch_indices);
  proto->set_max_credits(limits.max_credits);
  proto->set_max_streams_per_connection(service.max_streams_per_connection);
  proto->set_max_streams(limits.max_streams);
  proto->set_max_request_bytes(service.max_request_bytes);
  proto->set_memory_bytes(service.memory_bytes);
  proto->set_max_world(limits.max_world);
  proto->set_max_keys(service.engine->max_keys());
  proto->set_max_weights(service.engine->max_weights());
}

}  // namespace

v1::DatasetSummary SummaryOf(const batch::ServedStore& served) {
  const store::StoreInfo& info = served.store->info();
  v1::DatasetSummary summary;
  summary.set_dataset(served.dataset);
  summary.set_fingerprint(info.fingerprint);
  summary.set_drawings(info.drawings);
  summary.set_classes(static_cast<uint32_t>(info.classes.size()));
  summary.set_problem(served.problem);
  return summary;
}

void ListDatasets(const Service& service,
                  const std::vector<std::string>& datasets,
                  v1::ListDatasetsResponse* response) {
  for (const batch::ServedStore& served : service.engine->stores()) {
    if (!absl::c_linear_search(datasets, served.dataset)) continue;
    *response->add_datasets() = SummaryOf(served);
  }
}

absl::Status DescribeDataset(const Service& service,
                             const v1::DescribeDatasetRequest& request,
                             v1::DescribeDatasetResponse* response) {
  absl::StatusOr<View> view = wire::ViewFromProto(request.view());
  if (!view.ok()) return view.status();
  absl::StatusOr<batch::DatasetFacts> facts =
      service.engine->DescribeGeneration(request.dataset(),
                                         request.fingerprint(), *view);
  if (!facts.ok()) return facts.status();
  const store::StoreInfo& info = facts->store->info();
  response->set_dataset(facts->dataset);
  response->set_fingerprint(info.fingerprint);
  response->set_generation(info.generation);
  response->set_drawings(info.drawings);
  response->set_view_drawings(facts->view_size);
  for (const store::SplitInfo& split : info.splits) {
    v1::Split* const proto = response->add_splits();
    proto->set_name(split.name);
    proto->set_drawings(split.drawings);
    proto->set_rule(split.rule);
    proto->set_delta_std(split.delta_std);
  }
  for (size_t i = 0; i < facts->classes.size(); ++i) {
    v1::ClassCount* const count = response->add_classes();
    count->set_word(facts->classes[i]);
    count->set_drawings(facts->class_counts[i]);
  }
  AddColumns(info, response);
  response->set_raster_version(raster::kRasterVersion);
  response->add_tensors("image");
  response->add_tensors("strokes");
  for (const v1::DType dtype : {v1::DTYPE_UINT8, v1::DTYPE_FLOAT16,
                                v1::DTYPE_BFLOAT16, v1::DTYPE_FLOAT32}) {
    response->add_image_dtypes(dtype);
  }
  for (std::string& channel : raster::OfferedChannels(info.has_times)) {
    response->add_channels(std::move(channel));
  }
  for (const v1::Codec codec : {v1::CODEC_NONE, v1::CODEC_STROKES}) {
    response->add_codecs(codec);
  }
  AddLimits(service, response);
  response->set_recommended_window(order::RecommendedWindow(
      info.drawings, info.bytes_on_disk, service.memory_bytes));
  response->set_server_version(service.version);
  return absl::OkStatus();
}

}  // namespace inkstream::service
