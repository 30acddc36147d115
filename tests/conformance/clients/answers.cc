#include "tests/conformance/clients/answers.h"

#include <openssl/sha.h>

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "inkstream/errors.h"

namespace inkstream::conformance {
namespace {

const char* NameOf(DType dtype) {
  switch (dtype) {
    case DType::kUint8:
      return "uint8";
    case DType::kInt32:
      return "int32";
    case DType::kInt64:
      return "int64";
    case DType::kFloat16:
      return "float16";
    case DType::kBFloat16:
      return "bfloat16";
    case DType::kFloat32:
      return "float32";
    case DType::kBool:
      return "bool";
    case DType::kUnspecified:
      break;
  }
  return "unspecified";
}

const char* NameOf(Codec codec) {
  return codec == Codec::kStrokes ? "strokes" : "none";
}

std::string HashOf(absl::Span<const uint8_t> bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(bytes.data(), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return absl::BytesToHexString(digest);
}

void WriteTensor(const TensorView& tensor, const Batch& batch, JsonText* to) {
  const TensorInfo& info = *tensor.info;
  to->Begin('{')
      .Pair("dtype", NameOf(info.dtype))
      .Key("shape")
      .List(info.shape)
      .Pair("sha256", HashOf(tensor.bytes));
  if (info.dtype == DType::kInt64 && info.shape.size() == 1) {
    to->Key("values").List(*batch.Values<int64_t>(info.name));
  } else if (info.dtype == DType::kBool) {
    const auto bytes = *batch.Values<uint8_t>(info.name);
    to->Key("values").List(std::vector<int>(bytes.begin(), bytes.end()));
  }
  if (tensor.vocabulary != nullptr && !tensor.vocabulary->empty()) {
    to->Key("vocabulary").List(*tensor.vocabulary);
  }
  to->End('}');
}

}  // namespace

void Write(const Cursor& cursor, JsonText* to) {
  to->Begin('{')
      .Pair("version", cursor.version)
      .Pair("fingerprint", cursor.fingerprint)
      .Pair("plan_hash", cursor.plan_hash)
      .Pair("order_plan", cursor.order_plan)
      .Pair("seed", cursor.seed)
      .Pair("epoch", cursor.epoch)
      .Pair("position", cursor.position)
      .End('}');
}

void Write(const Batch& batch, JsonText* to) {
  to->Begin('{')
      .Pair("epoch", batch.epoch())
      .Pair("step", batch.step())
      .Pair("bad", batch.bad());
  if (batch.cursor().has_value()) {
    to->Key("cursor");
    Write(*batch.cursor(), to);
  }
  to->Key("tensors").Begin('{');
  for (const TensorInfo& info : batch.tensors()) {
    to->Key(info.name);
    WriteTensor(*batch.Find(info.name), batch, to);
  }
  to->End('}').End('}');
}

void Write(const StreamInfo& info, JsonText* to) {
  to->Begin('{').Key("start");
  Write(info.start, to);
  to->Pair("view_drawings", info.view_size)
      .Pair("steps_per_epoch", info.steps_per_epoch)
      .Pair("raster_version", info.raster_version)
      .Key("classes")
      .List(info.vocabulary)
      .Pair("transport", info.shared_memory ? "shm" : "grpc")
      .Pair("transport_reason", info.transport_reason)
      .Pair("codec", NameOf(info.codec))
      .Pair("codec_reason", info.codec_reason)
      .End('}');
}

void Write(const StreamStats& stats, JsonText* to) {
  to->Begin('{')
      .Pair("batches", stats.batches)
      .Pair("bytes", stats.bytes)
      .Pair("wire_bytes", stats.wire_bytes)
      .Pair("reopened", stats.reopened)
      .Pair("target", stats.target)
      .Pair("waited", stats.waited)
      .Pair("bottleneck", stats.bottleneck)
      .End('}');
}

void Write(const DatasetInfo& info, JsonText* to) {
  to->Begin('{')
      .Pair("dataset", info.dataset)
      .Pair("fingerprint", info.fingerprint)
      .Pair("drawings", info.drawings)
      .Pair("view_drawings", info.view_drawings)
      .Pair("raster_version", info.raster_version)
      .Pair("recommended_window", info.recommended_window)
      .Key("splits")
      .Begin('{');
  for (const auto& split : info.splits) to->Pair(split.name, split.drawings);
  to->End('}').Key("classes").Begin('{');
  for (const auto& entry : info.classes) to->Pair(entry.word, entry.drawings);
  to->End('}').Key("columns").Begin('{');
  for (const auto& column : info.columns) to->Pair(column.name, column.present);
  to->End('}').Key("tensors").List(info.tensors);
  to->Key("channels").List(info.channels).Key("image_dtypes").Begin('[');
  for (const DType dtype : info.image_dtypes) to->Value(NameOf(dtype));
  const DatasetInfo::Limits& limits = info.limits;
  to->End(']')
      .Key("limits")
      .Begin('{')
      .Pair("max_image_side", limits.max_image_side)
      .Pair("max_batch_size", limits.max_batch_size)
      .Pair("max_batch_bytes", limits.max_batch_bytes)
      .Pair("max_stroke_len", limits.max_stroke_len)
      .Pair("max_views", limits.max_views)
      .Pair("max_fetch_indices", limits.max_fetch_indices)
      .Pair("max_credits", limits.max_credits)
      .Pair("max_world", limits.max_world)
      .Pair("max_streams", limits.max_streams)
      .Pair("max_streams_per_connection", limits.max_streams_per_connection)
      .Pair("max_request_bytes", limits.max_request_bytes)
      .Pair("max_keys", limits.max_keys)
      .Pair("memory_bytes", limits.memory_bytes)
      .End('}')
      .End('}');
}

void Write(const PlanReport& report, JsonText* to) {
  to->Begin('{').Key("start");
  Write(report.start, to);
  to->Pair("view_drawings", report.view_drawings)
      .Pair("epoch_drawings", report.epoch_drawings)
      .Pair("steps_per_epoch", report.steps_per_epoch)
      .Pair("steps_left", report.steps_left)
      .Pair("step_drawings", report.step_drawings)
      .Pair("batch_bytes", report.batch_bytes)
      .Key("components")
      .Begin('{');
  for (const auto& component : report.components) {
    to->Key(component.name)
        .List(std::vector<uint64_t>{component.drawings, component.positions});
  }
  to->End('}').Key("steps").Begin('[');
  for (const PlanReport::Step& step : report.steps) {
    to->Begin('{')
        .Pair("epoch", step.epoch)
        .Pair("step", step.step)
        .Pair("position", step.position)
        .Pair("valid_rows", step.valid_rows)
        .Pair("bytes", step.bytes)
        .Key("indices")
        .List(step.indices)
        .Key("occurrences")
        .List(step.occurrences)
        .Key("cursor");
    Write(step.cursor, to);
    to->End('}');
  }
  to->End(']').End('}');
}

void Write(const absl::Status& error, JsonText* to) {
  to->Begin('{')
      .Pair("code", absl::StatusCodeToString(error.code()))
      .Pair("reason", ErrorReason(error))
      .Pair("message", std::string(error.message()));
  if (const auto delay = RetryDelay(error); delay.has_value()) {
    to->Pair("retry_delay", absl::ToDoubleSeconds(*delay));
  }
  to->End('}');
}

}  // namespace inkstream::conformance
