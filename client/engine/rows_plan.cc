#include "client/engine/rows_plan.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/engine/part_view.h"
#include "server/base/status_reason.h"
#include "server/raster/draw/rasterizer.h"
#include "server/wire/messages.h"

namespace inkstream::engine {
namespace {

template <typename... Parts>
absl::Status Broken(const v1::BatchHeader& header, const Parts&... parts) {
  return BrokenProtocol("batch ", header.batch_seq(), ": ", parts...);
}

// Servers have limits; whoever was answered by one takes what it accepted.
absl::StatusOr<layout::BatchLayout> LayoutOf(const DeliverySpec& delivery) {
  constexpr uint32_t kMost = std::numeric_limits<uint32_t>::max();
  return layout::BatchLayout::Create(
      delivery,
      {kMost, kMost, std::numeric_limits<uint64_t>::max() / 2, kMost, kMost});
}

}  // namespace

absl::StatusOr<uint64_t> AskedBatches::MostBytes() const {
  absl::StatusOr<layout::BatchLayout> layout = LayoutOf(delivery);
  if (!layout.ok()) return layout.status();
  return layout->Bytes(delivery.batch_size);
}

absl::StatusOr<AskedBatches> AskedBy(const v1::StreamBatchesRequest& opening) {
  absl::StatusOr<DeliverySpec> delivery =
      wire::DeliveryFromProto(opening.open().delivery());
  if (!delivery.ok()) return delivery.status();
  AskedBatches asked;
  asked.delivery = *std::move(delivery);
  asked.seed = opening.open().order().seed();
  return asked;
}

absl::StatusOr<AskedBatches> AskedBy(const v1::FetchDrawingsRequest& request) {
  AskedBatches asked;
  asked.seed = request.order().seed();
  asked.first_view = request.augment_view();
  asked.one = true;
  absl::Status status =
      wire::TensorsFromProto(request.delivery(), &asked.delivery);
  if (!status.ok()) return status;
  asked.delivery.batch_size = static_cast<uint32_t>(
      request.index_size() + request.rank_size() + request.key_id_size());
  asked.delivery.max_bad = 0;  // it bounds streams
  return asked;
}

absl::StatusOr<std::shared_ptr<const RowsPlan>> RowsPlan::Create(
    const AskedBatches& asked, const v1::StreamOpened& opened,
    const std::string& whence, int threads) {
  if (opened.raster_version() != raster::kRasterVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        "codec strokes: the server draws with raster version ",
        opened.raster_version(), ", this client with ", raster::kRasterVersion,
        ", so its images would differ; use codec none, or a client of the "
        "server's release"));
  }
  const DeliverySpec& delivery = asked.delivery;
  const ImageSpec image = delivery.image.value_or(ImageSpec());
  // Two machines may have two versions of what draws that quality.
  if (image.quality == Quality::kExact) {
    return absl::FailedPreconditionError(
        "codec strokes: images of quality exact are drawn by the server");
  }
  absl::StatusOr<layout::BatchLayout> layout = LayoutOf(delivery);
  if (!layout.ok()) return layout.status();
  layout::LayoutRecipe recipe = {
      *std::move(layout),
      delivery.image,
      delivery.strokes,
      delivery.augment,
      opened.strokes_divisor(),
      asked.seed,
      asked.first_view,
      std::max(image.height, image.width),
      delivery.strokes.has_value() ? delivery.strokes->max_len : 0,
      asked.one ? layout::FetchRowsAPiece(delivery, threads)
                : layout::RowsAPiece(delivery, threads),
      delivery.on_corrupt == OnCorrupt::kSkip};
  return std::shared_ptr<const RowsPlan>(
      new RowsPlan(std::move(recipe), delivery,
                   absl::StrCat(opened.dataset(), " at ", whence), opened));
}

RowsPlan::RowsPlan(layout::LayoutRecipe recipe, const DeliverySpec& delivery,
                   std::string whence, const v1::StreamOpened& opened)
    : recipe_(std::move(recipe)),
      batch_size_(delivery.batch_size),
      max_bad_(delivery.max_bad),
      whence_(std::move(whence)),
      opened_(opened) {}

rows::RowsShape RowsPlan::ShapeOf(const v1::BatchHeader& header) const {
  return layout::RowsShapeOf(recipe_, header.rows().occurrences());
}

absl::Status RowsPlan::Check(const v1::BatchHeader& header) const {
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
  if (header.tensors_size() > 0 || header.byte_size() > 0) {
    return Broken(header, "rows and tensors at once");
  }
  return absl::OkStatus();
}

absl::StatusOr<rows::RowsView> RowsPlan::Parse(
    const v1::BatchHeader& header, absl::Span<const uint8_t> bytes) const {
  if (rows::ChecksumOf(bytes) != header.rows().checksum()) {
    return WithReason(absl::UnavailableError(absl::StrCat(
                          "batch ", header.batch_seq(), " of ", whence_,
                          " is not what was sent: its "
                          "checksum does not match")),
                      kReasonBroken);
  }
  absl::StatusOr<rows::RowsView> view =
      rows::RowsView::Parse(ShapeOf(header), header.rows().count(), bytes);
  if (!view.ok()) return Broken(header, view.status().message());
  return view;
}

absl::Status RowsPlan::Describe(const layout::RowsBatch& batch,
                                v1::BatchHeader* header, uint64_t* bad) const {
  const layout::Damage& damage = batch.damage();
  header->set_bad(header->bad() + damage.rows());
  *bad += header->bad();
  if (damage.rows() > 0 && max_bad_ > 0 && *bad > max_bad_) {
    return absl::DataLossError(
        absl::StrCat(damage.first().message(), "; with it ", *bad,
                     " damaged drawings since the stream was opened, more than "
                     "delivery.max_bad = ",
                     max_bad_));
  }
  header->clear_rows();
  header->set_byte_size(batch.tensors().byte_size());
  v1::Cursor* const cursor = header->mutable_cursor();
  cursor->set_version(opened_.cursor().version());
  cursor->set_fingerprint(opened_.cursor().fingerprint());
  cursor->set_plan_hash(opened_.cursor().plan_hash());
  cursor->set_seed(opened_.cursor().seed());
  for (const TensorInfo& info : batch.tensors().tensors()) {
    v1::Tensor* const tensor = header->add_tensors();
    tensor->set_name(info.name);
    tensor->set_dtype(static_cast<v1::DType>(info.dtype));
    tensor->mutable_shape()->Add(info.shape.begin(), info.shape.end());
    tensor->set_offset(info.offset);
    tensor->set_length(info.length);
  }
  return absl::OkStatus();
}

}  // namespace inkstream::engine
