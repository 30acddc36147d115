// What a client makes of a batch that travels as rows.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "inkstream/plan.h"
#include "server/batch/job/finished_batch.h"
#include "server/layout/rows_batch.h"
#include "server/raster/draw/rasterizer.h"

namespace inkstream::testing {

inline std::string DrawnRows(const DeliverySpec& delivery, uint64_t seed,
                             uint32_t first_view,
                             const batch::FinishedBatch& batch) {
  layout::LayoutRecipe recipe = {
      *layout::BatchLayout::Create(delivery, layout::BatchLimits()),
      delivery.image,
      delivery.strokes,
      delivery.augment,
      /*dataset_std=*/0,
      seed,
      first_view,
      1024,
      4096,
      /*rows_a_piece=*/7,
      /*skip_damaged=*/true};
  const absl::Span<const uint8_t> bytes(batch.buffer->data() + batch.offset,
                                        batch.wire_size);
  EXPECT_EQ(rows::ChecksumOf(bytes), batch.rows_form->checksum);
  auto view = rows::RowsView::Parse(
      layout::RowsShapeOf(recipe, batch.rows_form->occurrences), batch.rows,
      bytes);
  EXPECT_TRUE(view.ok()) << view.status();
  std::vector<uint8_t> memory(recipe.layout.Bytes(batch.rows) + 64);
  uint8_t* const aligned =
      memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64);
  layout::RowsBatch drawn(recipe, *std::move(view), batch.epoch, "fake",
                          aligned);
  layout::DrawingTools tools([](const ImageSpec& spec, uint32_t max_side) {
    return raster::Rasterizer::Create(spec, max_side, true);
  });
  for (uint32_t piece = 0; piece < drawn.pieces(); ++piece) {
    EXPECT_TRUE(drawn.DrawPiece(piece, &tools).ok());
  }
  drawn.Join();
  return {reinterpret_cast<const char*>(aligned), drawn.tensors().byte_size()};
}

}  // namespace inkstream::testing
