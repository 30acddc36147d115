#include "client/cpp/messages/from_proto.h"

#include <string>
#include <utility>
#include <vector>

#include "server/wire/messages.h"

namespace inkstream::client {
namespace {

template <typename Repeated>
std::vector<std::string> Strings(const Repeated& strings) {
  return {strings.begin(), strings.end()};
}

DType DTypeOf(v1::DType dtype) {
  return v1::DType_IsValid(dtype) ? static_cast<DType>(dtype)
                                  : DType::kUnspecified;
}

}  // namespace

StreamInfo StreamInfoOf(const v1::StreamOpened& message) {
  StreamInfo info;
  info.dataset = message.dataset();
  info.start = wire::CursorFromProto(message.cursor());
  info.view_size = message.view_size();
  info.steps_per_epoch = message.steps_per_epoch();
  info.raster_version = message.raster_version();
  info.vocabulary = Strings(message.vocabulary());
  info.codec = static_cast<Codec>(message.codec());
  info.codec_reason = message.codec_reason();
  return info;
}

PlanReport PlanReportOf(const v1::ExplainPlanResponse& message) {
  PlanReport report;
  report.dataset = message.dataset();
  report.start = wire::CursorFromProto(message.cursor());
  report.view_drawings = message.view_drawings();
  report.epoch_drawings = message.epoch_drawings();
  report.steps_per_epoch = message.steps_per_epoch();
  report.steps_left = message.steps_left();
  report.step_drawings = message.step_drawings();
  report.batch_bytes = message.batch_bytes();
  for (const auto& component : message.components()) {
    report.components.push_back(
        {component.name(), component.drawings(), component.positions()});
  }
  for (const v1::PlannedStep& planned : message.steps()) {
    PlanReport::Step& step = report.steps.emplace_back();
    step.epoch = planned.epoch();
    step.step = planned.step();
    step.position = planned.position();
    step.cursor = wire::CursorFromProto(planned.cursor());
    // Sent once; a cursor that is kept should be able to explain itself.
    step.cursor.order_plan = report.start.order_plan;
    step.indices.assign(planned.index().begin(), planned.index().end());
    step.occurrences.assign(planned.occurrence().begin(),
                            planned.occurrence().end());
    step.valid_rows = planned.valid_rows();
    step.bytes = planned.bytes();
  }
  return report;
}

DatasetInfo DatasetInfoOf(const v1::DescribeDatasetResponse& message) {
  DatasetInfo info;
  info.dataset = message.dataset();
  info.fingerprint = message.fingerprint();
  info.generation = message.generation();
  info.drawings = message.drawings();
  info.view_drawings = message.view_drawings();
  for (const v1::Split& split : message.splits()) {
    info.splits.push_back(
        {split.name(), split.drawings(), split.rule(), split.delta_std()});
  }
  for (const v1::ClassCount& count : message.classes()) {
    info.classes.push_back({count.word(), count.drawings()});
  }
  for (const v1::Column& column : message.columns()) {
    info.columns.push_back({column.name(), DTypeOf(column.dtype()),
                            column.present(), column.description()});
  }
  info.raster_version = message.raster_version();
  info.tensors = Strings(message.tensors());
  for (const int dtype : message.image_dtypes()) {
    info.image_dtypes.push_back(DTypeOf(static_cast<v1::DType>(dtype)));
  }
  info.channels = Strings(message.channels());
  const v1::Limits& limits = message.limits();
  info.limits.max_image_side = limits.max_image_side();
  info.limits.max_batch_size = limits.max_batch_size();
  info.limits.max_batch_bytes = limits.max_batch_bytes();
  info.limits.max_stroke_len = limits.max_stroke_len();
  info.limits.max_views = limits.max_views();
  info.limits.max_fetch_indices = limits.max_fetch_indices();
  info.limits.max_credits = limits.max_credits();
  info.limits.max_world = limits.max_world();
  info.limits.max_streams = limits.max_streams();
  info.limits.max_streams_per_connection = limits.max_streams_per_connection();
  info.limits.max_request_bytes = limits.max_request_bytes();
  info.limits.max_keys = limits.max_keys();
  info.limits.max_weights = limits.max_weights();
  info.limits.memory_bytes = limits.memory_bytes();
  info.server_version = message.server_version();
  info.recommended_window = message.recommended_window();
  return info;
}

std::shared_ptr<const Vocabulary> VocabularyOf(
    const v1::StreamOpened& message) {
  return std::make_shared<const Vocabulary>(Vocabulary{
      Strings(message.vocabulary()), Strings(message.countrycodes())});
}

Batch::Content ContentOf(engine::ReceivedBatch batch,
                         std::shared_ptr<const Vocabulary> vocabulary) {
  const v1::BatchHeader& message = batch.header;
  Batch::Content content;
  content.data = std::move(batch.bytes);
  content.vocabulary = std::move(vocabulary);
  content.sequence = message.batch_seq();
  content.epoch = message.epoch();
  content.step = message.step();
  content.bad = message.bad();
  content.cursor = wire::CursorFromProto(message.cursor());
  content.byte_size = message.byte_size();
  for (const v1::Tensor& tensor : message.tensors()) {
    content.tensors.push_back({tensor.name(),
                               DTypeOf(tensor.dtype()),
                               {tensor.shape().begin(), tensor.shape().end()},
                               tensor.offset(),
                               tensor.length()});
  }
  return content;
}

}  // namespace inkstream::client
