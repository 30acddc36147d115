// Which drawing stands at which position of an epoch: the part of a plan that
// is hashed into the cursor, beside the view.
//
// Thread safety: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "inkstream/view.h"

namespace inkstream {

// Numbered as in inkstream.v1; never renumber.
enum class ShuffleKind : uint8_t { kFull = 0, kWindow = 1, kNone = 2 };

enum class SamplingKind : uint8_t {
  kUniform = 0,   // every drawing of the view once an epoch
  kBalanced = 1,  // class weights n^alpha, n the class's drawings
  kWeights = 2,   // a weight a class
  kMix = 3,       // a weight a view
  kDrawings = 4,  // a weight a drawing
};

// How often what is drawn. An epoch has as many positions as the classes or
// views with a weight have drawings, or as many as drawings have a weight; each
// gets its share of them to the nearest whole number (a drawing to one of both,
// exact on the mean over epochs), classes and views spread evenly over it.
struct Sampling {
  SamplingKind kind = SamplingKind::kUniform;
  double alpha = 0;  // [0, 1]: 0 all classes alike, 1 as they are
  // kWeights: one a class of the view, in label order; kMix: one a view. Not
  // negative, some above 0.
  std::vector<double> weights = {};
  // kMix: subsets of the stream's view, which also says what labels mean.
  std::vector<View> views = {};
  std::string drawings = {};  // kDrawings: hash of uploaded weights

  bool operator==(const Sampling&) const = default;
};

struct OrderSpec {
  uint64_t seed = 0;
  ShuffleKind shuffle = ShuffleKind::kFull;
  uint64_t shuffle_window = 0;  // drawings, for kWindow only: at least 1
  Sampling sampling = {};

  bool operator==(const OrderSpec&) const = default;
};

}  // namespace inkstream
