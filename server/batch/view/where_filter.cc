#include "server/batch/view/where_filter.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "server/base/nearest_name.h"

namespace inkstream::batch {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr size_t kMaxTerms = 64;
constexpr size_t kMaxValues = 65536;

enum class Kind : uint8_t { kNumber, kFlag, kTime, kName };

struct ColumnRules {
  const char* name;
  WhereColumn column;
  Kind kind;
  int64_t lowest;  // below it: the value is missing
};

constexpr ColumnRules kColumns[] = {
    {"recognized", WhereColumn::kRecognized, Kind::kFlag, 0},
    {"countrycode", WhereColumn::kCountrycode, Kind::kName, 0},
    {"timestamp", WhereColumn::kTimestamp, Kind::kTime, kMin + 1},
    {"word", WhereColumn::kLabel, Kind::kName, 0},
    {"label", WhereColumn::kLabel, Kind::kNumber, 0},
    {"key_id", WhereColumn::kKeyId, Kind::kNumber, 0},
    {"index", WhereColumn::kIndex, Kind::kNumber, 0},
    {"strokes", WhereColumn::kStrokes, Kind::kNumber, 1},
    {"points", WhereColumn::kPoints, Kind::kNumber, 1},
};

const char* Symbol(WhereOp op) {
  switch (op) {
    case WhereOp::kEq:
      return "==";
    case WhereOp::kNe:
      return "!=";
    case WhereOp::kLt:
      return "<";
    case WhereOp::kLe:
      return "<=";
    case WhereOp::kGt:
      return ">";
    case WhereOp::kGe:
      return ">=";
    case WhereOp::kIn:
      return "in";
    case WhereOp::kNotIn:
      return "not in";
  }
  return "unknown";
}

bool TakesMany(WhereOp op) {
  return op == WhereOp::kIn || op == WhereOp::kNotIn;
}
bool Compares(WhereOp op) { return op >= WhereOp::kLt && op <= WhereOp::kGe; }

absl::Status Invalid(size_t term, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("view.where[", term, "]", what));
}

absl::StatusOr<const ColumnRules*> FindColumn(size_t term,
                                              const std::string& name) {
  std::vector<std::string> names;
  for (const ColumnRules& rules : kColumns) {
    if (name == rules.name) return &rules;
    names.emplace_back(rules.name);
  }
  return Invalid(term, absl::StrCat(".column: there is no ", Quoted(name),
                                    NearestHint(name, names)));
}

absl::Status CheckOp(size_t term, const WhereTerm& where,
                     const ColumnRules& rules) {
  if (where.op < WhereOp::kEq || where.op > WhereOp::kNotIn) {
    return Invalid(term, absl::StrCat(".op: ", static_cast<int>(where.op),
                                      " is not known; offered: ==, !=, <, <=, "
                                      ">, >=, in, not in"));
  }
  const bool ordered = rules.kind == Kind::kNumber || rules.kind == Kind::kTime;
  if (Compares(where.op) && !ordered) {
    return Invalid(
        term, absl::StrCat(
                  ".op: ", Symbol(where.op), " is not offered for ", rules.name,
                  ", which has no order; offered: ==, !=, in, not in"));
  }
  if (where.values.empty() ||
      (!TakesMany(where.op) && where.values.size() != 1)) {
    return Invalid(
        term, absl::StrCat(".values: ", where.values.size(), " values for ",
                           rules.name, " ", Symbol(where.op), "; it takes ",
                           TakesMany(where.op) ? "at least one" : "one"));
  }
  if (where.values.size() > kMaxValues) {
    return Invalid(term, absl::StrCat(".values: ", where.values.size(),
                                      " values; at most ", kMaxValues,
                                      " a term: upload a set of keys instead"));
  }
  return absl::OkStatus();
}

std::optional<int64_t> ParseTime(const std::string& text) {
  int64_t micros = 0;
  // A bare year is a date, not microseconds.
  if (text.size() > 4 && absl::SimpleAtoi(text, &micros)) return micros;
  for (const char* const format :
       {"%Y-%m-%d %H:%M:%E*S UTC", "%Y-%m-%d %H:%M:%E*S", "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M:%E*S%Ez", "%Y-%m-%dT%H:%M:%E*S",
        "%Y-%m-%d %H:%M:%E*S%Ez", "%Y-%m-%d", "%Y-%m", "%Y"}) {
    absl::Time time;
    if (absl::ParseTime(format, text, &time, nullptr)) {
      return absl::ToUnixMicros(time);
    }
  }
  return std::nullopt;
}

std::string Where(size_t term, size_t value) {
  return absl::StrCat("view.where[", term, "].values[", value, "]: ");
}

absl::StatusOr<int64_t> ParseName(const std::string& place,
                                  const ColumnRules& rules, std::string text,
                                  const store::StoreReader& store) {
  if (rules.column == WhereColumn::kLabel) {
    std::replace(text.begin(), text.end(), '_', ' ');
  }
  const std::vector<std::string>& names = rules.column == WhereColumn::kLabel
                                              ? store.info().classes
                                              : store.countrycodes();
  const auto found = std::find(names.begin(), names.end(), text);
  if (found != names.end()) return found - names.begin();
  return absl::NotFoundError(absl::StrCat(place, "no drawing has the ",
                                          rules.name, " ", Quoted(text),
                                          NearestHint(text, names)));
}

absl::StatusOr<int64_t> ParseValue(const std::string& place,
                                   const ColumnRules& rules,
                                   const std::string& text,
                                   const store::StoreReader& store) {
  const auto refuse = [&](absl::string_view wanted) {
    return absl::InvalidArgumentError(absl::StrCat(
        place, Quoted(text), " is not a ", rules.name, "; give ", wanted));
  };
  switch (rules.kind) {
    case Kind::kFlag:
      if (text == "1" || text == "true") return 1;
      if (text == "0" || text == "false") return 0;
      return refuse("true (1) or false (0)");
    case Kind::kTime: {
      const std::optional<int64_t> micros = ParseTime(text);
      if (micros.has_value()) return *micros;
      return refuse(
          "microseconds since 1970 UTC or a time such as 2017-03-02 or "
          "2017-03-02T23:25:10Z");
    }
    case Kind::kName:
      return ParseName(place, rules, text, store);
    case Kind::kNumber:
      break;
  }
  int64_t number = 0;
  if (absl::SimpleAtoi(text, &number)) return number;
  return refuse("a whole number");
}

IntervalSet Accepted(WhereOp op, const std::vector<int64_t>& values,
                     int64_t lowest) {
  using Range = IntervalSet::Range;
  const Range domain = {lowest, kMax};
  const int64_t v = values.front();
  const auto above = [&](int64_t from) {
    return IntervalSet({Range(std::max(from, lowest), kMax)});
  };
  switch (op) {
    case WhereOp::kLt:
      return v == kMin ? IntervalSet({}) : IntervalSet({Range(lowest, v - 1)});
    case WhereOp::kLe:
      return IntervalSet({Range(lowest, v)});
    case WhereOp::kGt:
      return v == kMax ? IntervalSet({}) : above(v + 1);
    case WhereOp::kGe:
      return above(v);
    default:
      break;
  }
  std::vector<Range> ranges;
  for (const int64_t value : values) {
    if (value >= lowest) ranges.emplace_back(value, value);
  }
  IntervalSet named(std::move(ranges));
  const bool negated = op == WhereOp::kNe || op == WhereOp::kNotIn;
  return negated ? named.WithoutThese(domain) : named;
}

// == and `in` of one value are the same term, as are values in another order.
std::string Text(const WhereTerm& where, const ColumnRules& rules,
                 const std::vector<int64_t>& values,
                 const store::StoreReader& store) {
  const std::set<int64_t> sorted(values.begin(), values.end());
  WhereOp op = where.op;
  if (sorted.size() == 1 && op == WhereOp::kIn) op = WhereOp::kEq;
  if (sorted.size() == 1 && op == WhereOp::kNotIn) op = WhereOp::kNe;
  const auto name = [&](std::string* out, int64_t value) {
    if (rules.kind == Kind::kName) {
      const std::string& text = rules.column == WhereColumn::kLabel
                                    ? store.info().classes[value]
                                    : store.countrycodes()[value];
      absl::StrAppend(
          out, absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"|", "\\|"}}));
    } else {
      absl::StrAppend(out, value);
    }
  };
  return absl::StrCat(rules.name, " ", Symbol(op), " ",
                      absl::StrJoin(sorted, "|", name));
}

}  // namespace

absl::StatusOr<std::vector<CompiledTerm>> CompileWhere(
    absl::Span<const WhereTerm> where, const store::StoreReader& store) {
  if (where.size() > kMaxTerms) {
    return absl::InvalidArgumentError(absl::StrCat(
        "view.where: ", where.size(), " terms; at most ", kMaxTerms));
  }
  std::vector<CompiledTerm> terms;
  for (size_t t = 0; t < where.size(); ++t) {
    absl::StatusOr<const ColumnRules*> rules = FindColumn(t, where[t].column);
    if (!rules.ok()) return rules.status();
    absl::Status status = CheckOp(t, where[t], **rules);
    if (!status.ok()) return status;
    std::vector<int64_t> values;
    for (size_t v = 0; v < where[t].values.size(); ++v) {
      absl::StatusOr<int64_t> value =
          ParseValue(Where(t, v), **rules, where[t].values[v], store);
      if (!value.ok()) return value.status();
      values.push_back(*value);
    }
    terms.push_back({(*rules)->column,
                     Accepted(where[t].op, values, (*rules)->lowest),
                     Text(where[t], **rules, values, store)});
  }
  return terms;
}

}  // namespace inkstream::batch
