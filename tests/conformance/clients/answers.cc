#include "tests/conformance/clients/answers.h"

#include <openssl/sha.h>

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "inkstream/errors.h"
#include "server/raster/tensor/pixel_writer.h"

namespace inkstream::conformance {
namespace {

std::string HashOf(absl::Span<const uint8_t> bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(bytes.data(), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return absl::BytesToHexString(digest);
}

template <typename T>
Json Listed(absl::Span<const T> values) {
  return std::vector<int64_t>(values.begin(), values.end());
}

Json JsonOf(const TensorView& tensor, const Batch& batch) {
  const TensorInfo& info = *tensor.info;
  Json json = {{"dtype", raster::NameOf(info.dtype)},
               {"shape", info.shape},
               {"sha256", HashOf(tensor.bytes)}};
  if (info.dtype == DType::kInt64 && info.shape.size() == 1) {
    json["values"] = Listed(*batch.Values<int64_t>(info.name));
  } else if (info.dtype == DType::kBool) {
    json["values"] = Listed(*batch.Values<uint8_t>(info.name));
  }
  if (tensor.vocabulary != nullptr && !tensor.vocabulary->empty()) {
    json["vocabulary"] = *tensor.vocabulary;
  }
  return json;
}

}  // namespace

Json JsonOf(const Cursor& cursor) {
  return {{"version", cursor.version},     {"fingerprint", cursor.fingerprint},
          {"plan_hash", cursor.plan_hash}, {"order_plan", cursor.order_plan},
          {"seed", cursor.seed},           {"epoch", cursor.epoch},
          {"position", cursor.position}};
}

Json JsonOf(const Batch& batch) {
  Json tensors = Json::object();
  for (const TensorInfo& info : batch.tensors()) {
    tensors[info.name] = JsonOf(*batch.Find(info.name), batch);
  }
  Json json = {{"epoch", batch.epoch()},
               {"step", batch.step()},
               {"bad", batch.bad()},
               {"tensors", std::move(tensors)}};
  if (batch.cursor().has_value()) json["cursor"] = JsonOf(*batch.cursor());
  return json;
}

Json JsonOf(const StreamInfo& info) {
  return {{"start", JsonOf(info.start)},
          {"view_drawings", info.view_size},
          {"steps_per_epoch", info.steps_per_epoch},
          {"raster_version", info.raster_version},
          {"classes", info.vocabulary},
          {"codec", info.codec == Codec::kStrokes ? "strokes" : "none"},
          {"codec_reason", info.codec_reason}};
}

Json JsonOf(const StreamStats& stats) {
  return {{"batches", stats.batches},       {"bytes", stats.bytes},
          {"wire_bytes", stats.wire_bytes}, {"reopened", stats.reopened},
          {"target", stats.target},         {"waited", stats.waited},
          {"bottleneck", stats.bottleneck}};
}

Json JsonOf(const DatasetInfo& info) {
  Json splits = Json::object();
  for (const auto& split : info.splits) splits[split.name] = split.drawings;
  Json classes = Json::object();
  for (const auto& entry : info.classes) classes[entry.word] = entry.drawings;
  Json columns = Json::object();
  for (const auto& column : info.columns) columns[column.name] = column.present;
  Json dtypes = Json::array();
  for (const DType dtype : info.image_dtypes)
    dtypes.push_back(raster::NameOf(dtype));
  const DatasetInfo::Limits& limits = info.limits;
  return {{"dataset", info.dataset},
          {"fingerprint", info.fingerprint},
          {"drawings", info.drawings},
          {"view_drawings", info.view_drawings},
          {"raster_version", info.raster_version},
          {"recommended_window", info.recommended_window},
          {"splits", std::move(splits)},
          {"classes", std::move(classes)},
          {"columns", std::move(columns)},
          {"tensors", info.tensors},
          {"channels", info.channels},
          {"image_dtypes", std::move(dtypes)},
          {"limits",
           {{"max_image_side", limits.max_image_side},
            {"max_batch_size", limits.max_batch_size},
            {"max_batch_bytes", limits.max_batch_bytes},
            {"max_stroke_len", limits.max_stroke_len},
            {"max_views", limits.max_views},
            {"max_fetch_indices", limits.max_fetch_indices},
            {"max_credits", limits.max_credits},
            {"max_world", limits.max_world},
            {"max_streams", limits.max_streams},
            {"max_streams_per_connection", limits.max_streams_per_connection},
            {"max_request_bytes", limits.max_request_bytes},
            {"max_keys", limits.max_keys},
            {"max_weights", limits.max_weights},
            {"memory_bytes", limits.memory_bytes}}}};
}

Json JsonOf(const PlanReport& report) {
  Json components = Json::object();
  for (const auto& component : report.components) {
    components[component.name] =
        std::vector<uint64_t>{component.drawings, component.positions};
  }
  Json steps = Json::array();
  for (const PlanReport::Step& step : report.steps) {
    steps.push_back({{"epoch", step.epoch},
                     {"step", step.step},
                     {"position", step.position},
                     {"valid_rows", step.valid_rows},
                     {"bytes", step.bytes},
                     {"indices", step.indices},
                     {"occurrences", step.occurrences},
                     {"cursor", JsonOf(step.cursor)}});
  }
  return {{"start", JsonOf(report.start)},
          {"view_drawings", report.view_drawings},
          {"epoch_drawings", report.epoch_drawings},
          {"steps_per_epoch", report.steps_per_epoch},
          {"steps_left", report.steps_left},
          {"step_drawings", report.step_drawings},
          {"batch_bytes", report.batch_bytes},
          {"components", std::move(components)},
          {"steps", std::move(steps)}};
}

Json JsonOf(const absl::Status& error) {
  Json json = {{"code", absl::StatusCodeToString(error.code())},
               {"reason", ErrorReason(error)},
               {"message", std::string(error.message())}};
  if (const auto delay = RetryDelay(error); delay.has_value()) {
    json["retry_delay"] = absl::ToDoubleSeconds(*delay);
  }
  return json;
}

}  // namespace inkstream::conformance
