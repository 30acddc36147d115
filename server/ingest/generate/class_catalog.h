// The classes that can be generated: shapes.txt, which says how it is read.
//
// Thread safety: constant data; Draw() writes only to its pen.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "server/ingest/generate/pen.h"

namespace inkstream::ingest {

class DrawingClass {
 public:
  // A product of a number and variables, by their letters.
  struct Term {
    double factor = 1;
    std::string names;
    char divisor = 0;  // a variable; 0: none
  };
  using Value = std::vector<Term>;  // their sum
  // One line of shapes.txt.
  struct Step {
    std::string verb;
    char name = 0;              // of let, pick, repeat
    std::vector<Value> values;  // points are five of them
    size_t otherwise = 0;       // of if: the step after else
    size_t end = 0;             // of if, repeat: the step after end
  };

  DrawingClass(std::string word, std::vector<Step> steps)
      : word_(std::move(word)), steps_(std::move(steps)) {}

  const std::string& word() const { return word_; }
  void Draw(Pen& pen) const;

 private:
  std::string word_;
  std::vector<Step> steps_;
};

// In the order in which `--classes K` takes them.
absl::Span<const DrawingClass> ClassCatalog();

}  // namespace inkstream::ingest
