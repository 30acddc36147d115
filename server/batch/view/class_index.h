// The drawings of a view by class: the k-th one of class c, in index order.
//
// Elias-Fano: a drawing of a class with n of the store's N takes
// 2.25 + log2(N / n) bits. Built only for views that are sampled by class.
//
// Thread safety: immutable after construction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "server/batch/view/rank_select.h"
#include "server/batch/view/resolved_view.h"
#include "server/store/store_reader.h"

namespace inkstream::batch {

class ClassIndex {
 public:
  // Built on up to `threads` threads.
  ClassIndex(const store::StoreReader& store, const ResolvedView& view,
             int threads);

  // Store index of the class's `rank`-th drawing. REQUIRES: rank < how many the
  // view has of the class.
  uint64_t IndexOf(size_t label, uint64_t rank) const;

  size_t bytes() const;
  // At most what an index of such a view takes.
  static size_t BytesOf(const store::StoreReader& store,
                        const ResolvedView& view);

 private:
  // An ascending list: the numbers' low bits packed, the high ones in unary.
  struct List {
    int low_bits = 0;
    uint64_t room = 0;  // drawings that were counted
    uint64_t filled = 0;
    std::vector<uint64_t> low;
    std::vector<uint64_t> high_words;  // until sealed
    std::vector<RankSelect> high;      // one, once sealed

    void Add(uint64_t number);
    uint64_t At(uint64_t rank) const;
  };

  // Fills the lists of labels [begin, end).
  void Fill(const store::StoreReader& store, const ResolvedView& view,
            size_t begin, size_t end);

  std::vector<List> lists_;
};

}  // namespace inkstream::batch
