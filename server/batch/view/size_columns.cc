#include "server/batch/view/size_columns.h"

#include <algorithm>

#include "absl/status/statusor.h"
#include "server/batch/view/scan_threads.h"

namespace inkstream::batch {
namespace {

constexpr uint64_t kDrawingsAThread = 50'000;
constexpr size_t kMost = 65535;

}  // namespace

std::shared_ptr<const SizeColumns> SizeColumns::Count(
    const store::StoreReader& store, int threads) {
  std::shared_ptr<SizeColumns> columns(new SizeColumns(store.size()));
  ScanInParts(
      store.size(), ScanParts(store.size(), kDrawingsAThread, threads),
      [&](uint64_t /*part*/, uint64_t begin, uint64_t end) {
        const auto reader = store.NewDrawingReader();
        for (uint64_t i = begin; i < end; ++i) {
          const absl::StatusOr<StrokesView> drawing = reader->ReadStrokes(i);
          // A damaged drawing is in no view by size; reading it in
          // another view reports it.
          if (!drawing.ok()) continue;
          columns->strokes_[i] = static_cast<uint16_t>(
              std::min<size_t>(drawing->strokes(), kMost));
          columns->points_[i] =
              static_cast<uint16_t>(std::min<size_t>(drawing->x.size(), kMost));
        }
      });
  return columns;
}

}  // namespace inkstream::batch
