// shapes.txt is compiled once into steps, which Draw() walks with a number for
// each letter. The text is part of the program, so what cannot be read in it
// is a fault of the program and ends it.

#include "server/ingest/generate/class_catalog.h"

#include <array>
#include <cmath>
#include <cstdlib>
#include <numbers>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "server/ingest/generate/shapes.inc"

namespace inkstream::ingest {
namespace {

using Step = DrawingClass::Step;
using Term = DrawingClass::Term;
using Value = DrawingClass::Value;

constexpr char kBell = '~';
constexpr size_t kPointValues = 5;

Term ParseTerm(absl::string_view text) {
  Term term;
  if (absl::ConsumePrefix(&text, "-")) term.factor = -1;
  // Only a name divides, and only the whole product.
  const std::vector<absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits('/', 1));
  for (const absl::string_view part : absl::StrSplit(parts[0], '*')) {
    double number = 0;
    if (absl::SimpleAtod(part, &number)) {
      term.factor *= number;
    } else if (part.size() == 1 && (part[0] == kBell || islower(part[0]))) {
      term.names.push_back(part[0]);
    } else {
      std::abort();
    }
  }
  if (parts.size() == 2) term.divisor = parts[1][0];
  return term;
}

Value ParseValue(absl::string_view text) {
  Value value;
  size_t begin = 0;
  for (size_t i = 1; i <= text.size(); ++i) {
    if (i < text.size() && text[i] != '+' && text[i] != '-') continue;
    value.push_back(ParseTerm(text.substr(begin, i - begin)));
    begin = i < text.size() && text[i] == '+' ? i + 1 : i;
  }
  return value;
}

// X,Y or X,Y@RADIUS,TURNS[,ASIDE]: five values, those left out 0.
void ParsePoint(absl::string_view text, std::vector<Value>* values) {
  const size_t end = values->size() + kPointValues;
  for (const absl::string_view part :
       absl::StrSplit(text, absl::ByAnyChar(",@"))) {
    values->push_back(ParseValue(part));
  }
  values->resize(end);
}

Step ParseStep(absl::string_view line) {
  const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
  Step step;
  step.verb = std::string(words[0]);
  size_t next = 1;
  if (step.verb == "let" || step.verb == "pick" || step.verb == "repeat") {
    step.name = words[next++][0];
  }
  for (; next < words.size(); ++next) {
    if (absl::StrContains(words[next], ',')) {
      ParsePoint(words[next], &step.values);
    } else {
      step.values.push_back(ParseValue(words[next]));
    }
  }
  return step;
}

std::vector<DrawingClass> ParseCatalog() {
  std::vector<DrawingClass> classes;
  // The text begins with a comment; classes are set apart by empty lines.
  for (absl::string_view block : absl::StrSplit(kShapes, "\n\n")) {
    if (absl::StartsWith(block, "#")) continue;
    const std::vector<absl::string_view> lines =
        absl::StrSplit(block, '\n', absl::SkipEmpty());
    std::vector<Step> steps;
    std::vector<size_t> open;
    for (size_t i = 1; i < lines.size(); ++i) {
      steps.push_back(ParseStep(lines[i]));
      const std::string& verb = steps.back().verb;
      if (verb == "if" || verb == "repeat") open.push_back(steps.size() - 1);
      if (verb == "else") steps[open.back()].otherwise = steps.size();
      if (verb != "end") continue;
      Step& opened = steps[open.back()];
      opened.end = steps.size();
      if (opened.otherwise == 0) opened.otherwise = opened.end;
      open.pop_back();
    }
    classes.emplace_back(std::string(lines[0]), std::move(steps));
  }
  return classes;
}

// One drawing on its way.
class Drawer {
 public:
  Drawer(absl::Span<const Step> steps, Pen* pen) : steps_(steps), pen_(pen) {}

  void Run(size_t begin, size_t end) {
    for (size_t s = begin; s < end; ++s) {
      const Step& step = steps_[s];
      if (step.verb == "if") {
        const bool holds = random().Chance(ValueOf(step.values[0]) / 100);
        const size_t from = holds ? s + 1 : step.otherwise;
        Run(from, holds ? step.otherwise : step.end);
        s = step.end - 1;
      } else if (step.verb == "repeat") {
        const double count = number(step.name);
        for (int i = 0; i < count; ++i) {
          number('i') = i;
          number('u') = i / count;
          number('o') = i % 2;
          Run(s + 1, step.end);
        }
        s = step.end - 1;
      } else if (step.verb == "let" || step.verb == "pick") {
        Set(step);
      } else if (step.verb != "else" && step.verb != "end") {
        Stroke(step);
      }
    }
  }

 private:
  KeyedRandom& random() { return pen_->random(); }
  double& number(char name) { return numbers_[name - 'a']; }

  double ValueOf(const Value& value) {
    double sum = 0;
    for (const Term& term : value) {
      double product = term.factor;
      for (const char name : term.names) {
        product *= name == kBell ? random().Bell() : number(name);
      }
      sum += term.divisor == 0 ? product : product / number(term.divisor);
    }
    return sum;
  }

  void Set(const Step& step) {
    const double low = ValueOf(step.values[0]);
    double& set = number(step.name);
    if (step.verb == "pick") {
      const auto choices =
          static_cast<uint32_t>(ValueOf(step.values[1]) - low + 1);
      set = low + random().Below(choices);
    } else if (step.values.size() == 1) {
      set = low;
    } else {
      set = random().Between(low, ValueOf(step.values[1]));
    }
  }

  void Stroke(const Step& step) {
    values_.clear();
    for (const Value& value : step.values) values_.push_back(ValueOf(value));
    const Point first = PointAt(0);
    const double* const after = values_.data() + kPointValues;
    if (step.verb == "ellipse") {
      return pen_->Ellipse(first, after[0], values_.back());
    }
    if (step.verb == "dot") return pen_->Dot(first, after[0]);
    if (step.verb == "arc") {
      return pen_->Arc(first, after[0], after[1], after[2], after[3]);
    }
    points_.clear();
    for (size_t at = 0; at < values_.size(); at += kPointValues) {
      points_.push_back(PointAt(at));
    }
    if (step.verb == "line") return pen_->Line(points_);
    if (step.verb == "polygon") return pen_->Polygon(points_);
    if (step.verb == "curve") return pen_->Curve(points_);
    std::abort();
  }

  Point PointAt(size_t value) const {
    const double* const of = values_.data() + value;
    const double turn = of[3] * 2 * std::numbers::pi;
    const double cosine = std::cos(turn), sine = std::sin(turn);
    return {of[0] + of[2] * cosine - of[4] * sine,
            of[1] + of[2] * sine + of[4] * cosine};
  }

  const absl::Span<const Step> steps_;
  Pen* const pen_;
  std::array<double, 26> numbers_ = {};
  std::vector<double> values_;
  std::vector<Point> points_;
};

}  // namespace

void DrawingClass::Draw(Pen& pen) const {
  Drawer(steps_, &pen).Run(0, steps_.size());
}

absl::Span<const DrawingClass> ClassCatalog() {
  static const auto& catalog = *new std::vector<DrawingClass>(ParseCatalog());
  return catalog;
}

}  // namespace inkstream::ingest
