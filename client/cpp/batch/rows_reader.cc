#include "client/cpp/batch/rows_reader.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/batch/status_reason.h"
#include "server/raster/draw/capsule_rasterizer.h"
#include "server/raster/tensor/image_spec_check.h"
#include "server/wire/delivery_message.h"

namespace inkstream::client {
namespace {

template <typename... Parts>
absl::Status Broken(const v1::BatchHeader& header, const Parts&... parts) {
  return absl::InternalError(
      absl::StrCat("the server broke the protocol: ", "batch ",
                   header.batch_seq(), ": ", parts...));
}

// The server has accepted the request by limits of its own.
layout::BatchLimits NoLimits() {
  constexpr uint32_t kMost = std::numeric_limits<uint32_t>::max();
  return {kMost, kMost, std::numeric_limits<uint64_t>::max() / 2, kMost, kMost};
}

// Not Rasterizer::Create(), which would bring Cairo into libinkstream.
absl::StatusOr<std::unique_ptr<raster::Rasterizer>> MakeRasterizer(
    const ImageSpec& spec, uint32_t max_side) {
  absl::Status status =
      raster::CheckImageSpec(spec, max_side, /*has_times=*/true);
  if (!status.ok()) return status;
  return std::make_unique<raster::CapsuleRasterizer>(spec);
}

}  // namespace

void SayWhoDraws(v1::StreamBatchesRequest* opening) {
  opening->mutable_open()->mutable_delivery()->set_raster_version(
      raster::kRasterVersion);
}

absl::StatusOr<std::unique_ptr<RowsReader>> RowsReader::Create(
    const v1::StreamBatchesRequest& opening, const v1::StreamOpened& opened,
    const std::string& target) {
  if (opened.raster_version() != raster::kRasterVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        "codec strokes: the server draws with raster version ",
        opened.raster_version(), ", this client with ", raster::kRasterVersion,
        ", so its images would differ; use codec none, or a client of the "
        "server's release"));
  }
  absl::StatusOr<DeliverySpec> delivery =
      wire::DeliveryFromProto(opening.open().delivery());
  if (!delivery.ok()) return delivery.status();
  absl::StatusOr<layout::BatchLayout> layout =
      layout::BatchLayout::Create(*delivery, NoLimits());
  if (!layout.ok()) return layout.status();
  const ImageSpec image = delivery->image.value_or(ImageSpec());
  layout::LayoutRecipe recipe = {
      *std::move(layout),
      delivery->image,
      delivery->strokes,
      delivery->augment,
      opened.strokes_divisor(),
      opening.open().order().seed(),
      /*first_view=*/0,
      std::max(image.height, image.width),
      delivery->strokes.has_value() ? delivery->strokes->max_len : 0,
      layout::RowsAPiece(*delivery, /*threads=*/1),
      delivery->on_corrupt == OnCorrupt::kSkip};
  std::unique_ptr<RowsReader> reader(
      new RowsReader(std::move(recipe), delivery->batch_size, delivery->max_bad,
                     absl::StrCat(opened.dataset(), " at ", target), opened));
  // Says now what cannot be drawn.
  absl::Status status = reader->tools_.Of(reader->recipe_).status();
  if (!status.ok()) return status;
  return reader;
}

RowsReader::RowsReader(layout::LayoutRecipe recipe, uint32_t batch_size,
                       uint64_t max_bad, std::string whence,
                       const v1::StreamOpened& opened)
    : recipe_(std::move(recipe)),
      batch_size_(batch_size),
      max_bad_(max_bad),
      whence_(std::move(whence)),
      opened_(opened),
      tools_(MakeRasterizer) {}

rows::RowsShape RowsReader::ShapeOf(const v1::BatchHeader& header) const {
  return layout::RowsShapeOf(recipe_, header.rows().occurrences());
}

absl::Status RowsReader::Check(const v1::BatchHeader& header) const {
  const uint32_t count = header.rows().count();
  if (count < 1 || count > batch_size_) {
    return Broken(header, count, " rows where ", batch_size_,
                  " were asked for");
  }
  if (header.rows().occurrences() != ShapeOf(header).occurrences) {
    return Broken(header, "occurrences without an augmentation");
  }
  const uint64_t least = ShapeOf(header).Strokes(count);
  const uint64_t most = recipe_.layout.Bytes(count) + rows::kMostBeyondTensors;
  if (header.wire_size() < least || header.wire_size() > most) {
    return Broken(header, count, " rows in ", header.wire_size(),
                  " bytes, not in ", least, "..", most);
  }
  if (header.tensors_size() > 0 || header.chunks_size() > 0 ||
      header.byte_size() > 0) {
    return Broken(header, "rows and tensors at once");
  }
  return absl::OkStatus();
}

absl::StatusOr<ReceivedBatch> RowsReader::Draw(const v1::BatchHeader& header,
                                               absl::Span<const uint8_t> rows,
                                               BatchBuffers* buffers) {
  if (rows::ChecksumOf(rows) != header.rows().checksum()) {
    return batch::WithReason(absl::UnavailableError(absl::StrCat(
                                 "batch ", header.batch_seq(), " of ", whence_,
                                 " is not what was sent: its "
                                 "checksum does not match")),
                             batch::kReasonBroken);
  }
  absl::StatusOr<rows::RowsView> view =
      rows::RowsView::Parse(ShapeOf(header), header.rows().count(), rows);
  if (!view.ok()) return Broken(header, view.status().message());
  absl::StatusOr<std::shared_ptr<uint8_t>> bytes =
      buffers->Acquire(recipe_.layout.Bytes(view->rows()));
  if (!bytes.ok()) return bytes.status();
  layout::RowsBatch batch(recipe_, *std::move(view), header.epoch(), whence_,
                          bytes->get());
  for (uint32_t piece = 0; piece < batch.pieces(); ++piece) {
    absl::Status drawn = batch.DrawPiece(piece, &tools_);
    if (!drawn.ok()) return drawn;
  }
  batch.Join();
  ReceivedBatch received = {header, *std::move(bytes)};
  absl::Status status = CountDamage(batch.damage(), &received.header);
  if (!status.ok()) return status;
  Describe(batch.tensors(), &received.header);
  return received;
}

// The server counts what it cannot read by itself, and ends the stream where
// that is too much.
absl::Status RowsReader::CountDamage(const layout::Damage& damage,
                                     v1::BatchHeader* header) {
  header->set_bad(header->bad() + damage.rows());
  bad_ += header->bad();
  if (damage.rows() == 0 || max_bad_ == 0 || bad_ <= max_bad_) {
    return absl::OkStatus();
  }
  return absl::DataLossError(
      absl::StrCat(damage.first().message(), "; with it ", bad_,
                   " damaged drawings since the stream was opened, more than "
                   "delivery.max_bad = ",
                   max_bad_));
}

// As the header of a batch of tensors.
void RowsReader::Describe(const layout::BatchTensors& batch,
                          v1::BatchHeader* header) const {
  header->clear_rows();
  header->set_byte_size(batch.byte_size());
  v1::Cursor* const cursor = header->mutable_cursor();
  cursor->set_version(opened_.cursor().version());
  cursor->set_fingerprint(opened_.cursor().fingerprint());
  cursor->set_plan_hash(opened_.cursor().plan_hash());
  cursor->set_seed(opened_.cursor().seed());
  for (const TensorInfo& info : batch.tensors()) {
    v1::Tensor* const tensor = header->add_tensors();
    tensor->set_name(info.name);
    tensor->set_dtype(static_cast<v1::DType>(info.dtype));
    tensor->mutable_shape()->Add(info.shape.begin(), info.shape.end());
    tensor->set_offset(info.offset);
    tensor->set_length(info.length);
    if (info.name == "word") {
      *tensor->mutable_vocabulary() = opened_.vocabulary();
    } else if (info.name == "countrycode") {
      *tensor->mutable_vocabulary() = opened_.countrycodes();
    }
  }
}

}  // namespace inkstream::client
