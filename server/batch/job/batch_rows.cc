#include "server/batch/job/batch_rows.h"

#include <algorithm>
#include <limits>

namespace inkstream::batch {
namespace {

int64_t ValueOf(const BatchRecipe& recipe, layout::Field field,
                uint64_t index) {
  const store::StoreReader& store = *recipe.store;
  const ResolvedView& view = *recipe.view;
  switch (field) {
    case layout::Field::kLabel: {
      const int32_t label = view.LabelOf(store.Label(index));
      return label < 0 ? recipe.ignore_index : label;
    }
    case layout::Field::kWord:
      return view.LabelOf(store.Label(index));
    case layout::Field::kCountrycode:
      return store.Countrycode(index);
    case layout::Field::kTimestamp: {
      const int64_t micros = store.TimestampMicros(index);
      return micros == std::numeric_limits<int64_t>::min() ? -1 : micros;
    }
    case layout::Field::kRecognized:
      return store.Recognized(index);
    case layout::Field::kKeyId:
      return store.KeyId(index);
    default:
      return 0;
  }
}

}  // namespace

void RowSource::Resolve(const SampledView& sampled, uint32_t row,
                        absl::Span<int64_t> out,
                        absl::Span<uint64_t> occurrences) const {
  if (order == nullptr) {
    for (size_t i = 0; i < out.size(); ++i) {
      out[i] = static_cast<int64_t>(indices[row + i]);
    }
    std::fill(occurrences.begin(), occurrences.end(), 0);
    return;
  }
  std::vector<order::Pick> picks(out.size());
  order->PicksFrom(first + row, absl::MakeSpan(picks));
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<int64_t>(sampled.IndexOf(picks[i]));
    if (!occurrences.empty()) occurrences[i] = sampled.OccurrenceOf(picks[i]);
  }
}

void FillColumn(const BatchRecipe& recipe, layout::Field field,
                absl::Span<const int64_t> indices, int64_t* out) {
  for (size_t i = 0; i < indices.size(); ++i) {
    out[i] = ValueOf(recipe, field, static_cast<uint64_t>(indices[i]));
  }
}

}  // namespace inkstream::batch
