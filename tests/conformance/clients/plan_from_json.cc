#include "tests/conformance/clients/plan_from_json.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace inkstream::conformance {
namespace {

using simdjson::dom::element;

// Reads members of one object; remembers the first thing that is wrong. What is
// absent or null keeps its default.
class Members {
 public:
  explicit Members(const Json& json) : json_(json) {}

  absl::Status status() const { return status_; }

  bool Find(const char* name, element* found) const {
    return json_[name].get(*found) == simdjson::SUCCESS && !found->is_null();
  }

  template <typename T>
  void Number(const char* name, T* to) {
    element value;
    if (!Find(name, &value)) return;
    if constexpr (std::is_floating_point_v<T>) {
      double number = 0;
      Check(name, value.get(number));
      *to = static_cast<T>(number);
    } else if constexpr (std::is_signed_v<T>) {
      int64_t number = 0;
      Check(name, value.get(number));
      *to = static_cast<T>(number);
    } else {
      uint64_t number = 0;
      Check(name, value.get(number));
      *to = static_cast<T>(number);
    }
  }
  void Truth(const char* name, bool* to) {
    element value;
    if (Find(name, &value)) Check(name, value.get(*to));
  }
  void Text(const char* name, std::string* to) {
    element value;
    std::string_view text;
    if (!Find(name, &value)) return;
    Check(name, value.get(text));
    *to = std::string(text);
  }
  template <typename T>
  void Named(const char* name, const std::map<std::string, T>& names, T* to) {
    std::string text;
    Text(name, &text);
    if (text.empty()) return;
    const auto found = names.find(text);
    if (found == names.end()) {
      Fail(absl::StrCat(name, " = ", text, " is not a word of the suite"));
    } else {
      *to = found->second;
    }
  }
  template <typename T>
  void List(const char* name, std::vector<T>* to) {
    element value;
    simdjson::dom::array array;
    if (!Find(name, &value)) return;
    Check(name, value.get(array));
    to->clear();
    for (const element entry : array) {
      if constexpr (std::is_same_v<T, std::string>) {
        std::string_view text;
        Check(name, entry.get(text));
        to->emplace_back(text);
      } else if constexpr (std::is_floating_point_v<T>) {
        double number = 0;
        Check(name, entry.get(number));
        to->push_back(static_cast<T>(number));
      } else if constexpr (std::is_signed_v<T>) {
        int64_t number = 0;
        Check(name, entry.get(number));
        to->push_back(number);
      } else {
        uint64_t number = 0;
        Check(name, entry.get(number));
        to->push_back(number);
      }
    }
  }
  // An object of its own, by `read`.
  template <typename T, typename Read>
  void Part(const char* name, Read read, std::optional<T>* to) {
    element value;
    Json part;
    if (!Find(name, &value)) return;
    Check(name, value.get(part));
    absl::StatusOr<T> got = read(part);
    if (got.ok()) {
      *to = *std::move(got);
    } else {
      Fail(got.status().message());
    }
  }
  void Fail(absl::string_view why) {
    if (status_.ok()) {
      status_ = absl::InvalidArgumentError(absl::StrCat("the suite: ", why));
    }
  }
  void Check(const char* name, simdjson::error_code error) {
    if (error != simdjson::SUCCESS) {
      Fail(absl::StrCat(name, ": ", simdjson::error_message(error)));
    }
  }

 private:
  const Json& json_;
  absl::Status status_;
};

const std::map<std::string, DType> kDTypes = {{"uint8", DType::kUint8},
                                              {"float16", DType::kFloat16},
                                              {"bfloat16", DType::kBFloat16},
                                              {"float32", DType::kFloat32}};
const std::map<std::string, WhereOp> kOps = {
    {"==", WhereOp::kEq}, {"!=", WhereOp::kNe},       {"<", WhereOp::kLt},
    {"<=", WhereOp::kLe}, {">", WhereOp::kGt},        {">=", WhereOp::kGe},
    {"in", WhereOp::kIn}, {"not in", WhereOp::kNotIn}};

absl::StatusOr<ImageSpec> ImageOf(const Json& json) {
  Members members(json);
  ImageSpec spec;
  members.Number("height", &spec.height);
  spec.width = spec.height;
  members.Number("width", &spec.width);
  members.Named("dtype", kDTypes, &spec.dtype);
  members.Named("layout", {{"NCHW", Layout::kNchw}, {"NHWC", Layout::kNhwc}},
                &spec.layout);
  members.List("channels", &spec.channels);
  members.Named("fit",
                {{"canvas", Fit::kCanvas},
                 {"box", Fit::kBox},
                 {"stretch", Fit::kStretch}},
                &spec.fit);
  members.Number("line_width", &spec.line_width);
  members.Number("padding", &spec.padding);
  members.List("mean", &spec.mean);
  members.List("std", &spec.std);
  members.Named("quality",
                {{"fast", Quality::kFast}, {"exact", Quality::kExact}},
                &spec.quality);
  if (!members.status().ok()) return members.status();
  return spec;
}

absl::StatusOr<StrokesSpec> StrokesOf(const Json& json) {
  Members members(json);
  StrokesSpec spec;
  members.Named("format",
                {{"stroke3", StrokeFormat::kStroke3},
                 {"stroke5", StrokeFormat::kStroke5},
                 {"points", StrokeFormat::kPoints}},
                &spec.format);
  members.Number("max_len", &spec.max_len);
  bool token = false;
  element given;
  if (members.Find("start_token", &given)) {
    members.Truth("start_token", &token);
    spec.start_token = token;
  }
  members.Named("scale",
                {{"none", StrokeScale::kNone},
                 {"unit", StrokeScale::kUnit},
                 {"dataset", StrokeScale::kDataset}},
                &spec.scale);
  members.Number("scale_value", &spec.scale_value);
  members.Named("too_long",
                {{"truncate", TooLong::kTruncate},
                 {"drop", TooLong::kDrop},
                 {"error", TooLong::kError}},
                &spec.too_long);
  members.Number("resample", &spec.resample);
  members.Number("prefix", &spec.prefix);
  members.Truth("ragged", &spec.ragged);
  members.Truth("times", &spec.times);
  members.Named("dtype", kDTypes, &spec.dtype);
  if (!members.status().ok()) return members.status();
  return spec;
}

absl::StatusOr<AugmentSpec> AugmentOf(const Json& json) {
  Members members(json);
  AugmentSpec spec;
  const std::vector<std::pair<const char*, Range*>> ranges = {
      {"rotation", &spec.rotation},
      {"scale", &spec.scale},
      {"scale_x", &spec.scale_x},
      {"scale_y", &spec.scale_y},
      {"shear", &spec.shear},
      {"translate_x", &spec.translate_x},
      {"translate_y", &spec.translate_y},
      {"line_width", &spec.line_width}};
  for (const auto& [name, range] : ranges) {
    std::vector<float> ends = {range->low, range->high};
    members.List(name, &ends);
    if (ends.size() == 2) *range = {ends[0], ends[1]};
  }
  members.Number("flip_x", &spec.flip_x);
  members.Number("flip_y", &spec.flip_y);
  members.Number("stroke_dropout", &spec.stroke_dropout);
  members.Number("stroke_reorder", &spec.stroke_reorder);
  members.Number("point_dropout", &spec.point_dropout);
  members.Number("jitter", &spec.jitter);
  if (!members.status().ok()) return members.status();
  return spec;
}

absl::StatusOr<WhereTerm> WhereOf(const element& json) {
  simdjson::dom::array parts;
  std::string_view column;
  std::string_view op;
  simdjson::dom::array values;
  WhereTerm term;
  if (json.get(parts) != simdjson::SUCCESS ||
      parts.at(0).get(column) != simdjson::SUCCESS ||
      parts.at(1).get(op) != simdjson::SUCCESS ||
      parts.at(2).get(values) != simdjson::SUCCESS ||
      kOps.count(std::string(op)) == 0) {
    return absl::InvalidArgumentError("where: give [column, op, [values]]");
  }
  term.column = std::string(column);
  term.op = kOps.at(std::string(op));
  for (const element value : values) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) {
      return absl::InvalidArgumentError("where: values are texts");
    }
    term.values.emplace_back(text);
  }
  return term;
}

absl::StatusOr<Fold> FoldOf(const Json& json) {
  Members members(json);
  Fold fold;
  members.Number("index", &fold.index);
  members.Number("count", &fold.count);
  members.Truth("held_out", &fold.held_out);
  if (!members.status().ok()) return members.status();
  return fold;
}

absl::StatusOr<Sampling> SamplingOf(const Json& json) {
  Members members(json);
  Sampling sampling;
  element value;
  if (members.Find("balanced", &value)) {
    sampling.kind = SamplingKind::kBalanced;
    members.Number("balanced", &sampling.alpha);
  }
  if (members.Find("mix", &value)) {
    sampling.kind = SamplingKind::kMix;
    simdjson::dom::array views;
    members.Check("mix", value.get(views));
    for (const element entry : views) {
      Json view;
      members.Check("mix", entry.get(view));
      absl::StatusOr<View> got = ViewOf(view);
      if (!got.ok()) return got.status();
      sampling.views.push_back(*std::move(got));
    }
  } else if (members.Find("weights", &value)) {
    sampling.kind = SamplingKind::kWeights;
  } else if (members.Find("drawings", &value)) {
    sampling.kind = SamplingKind::kDrawings;
    members.Text("drawings", &sampling.drawings);
  }
  members.List("weights", &sampling.weights);
  if (!members.status().ok()) return members.status();
  return sampling;
}

}  // namespace

absl::StatusOr<View> ViewOf(const Json& json) {
  Members members(json);
  View view;
  members.Text("split", &view.split);
  members.List("classes", &view.classes);
  members.Number("max_per_class", &view.max_per_class);
  members.Number("fraction", &view.fraction);
  members.Text("include_keys", &view.include_keys);
  members.Text("exclude_keys", &view.exclude_keys);
  members.Part("fold", FoldOf, &view.fold);
  element where;
  if (members.Find("where", &where)) {
    simdjson::dom::array terms;
    members.Check("where", where.get(terms));
    for (const element term : terms) {
      absl::StatusOr<WhereTerm> got = WhereOf(term);
      if (!got.ok()) return got.status();
      view.where.push_back(*std::move(got));
    }
  }
  if (!members.status().ok()) return members.status();
  return view;
}

absl::StatusOr<Cursor> CursorOf(const Json& json) {
  Members members(json);
  Cursor cursor;
  members.Number("version", &cursor.version);
  members.Text("fingerprint", &cursor.fingerprint);
  members.Text("plan_hash", &cursor.plan_hash);
  members.Text("order_plan", &cursor.order_plan);
  members.Number("seed", &cursor.seed);
  members.Number("epoch", &cursor.epoch);
  members.Number("position", &cursor.position);
  if (!members.status().ok()) return members.status();
  return cursor;
}

absl::StatusOr<Plan> PlanOf(const Json& json) {
  Members members(json);
  Plan plan;
  std::optional<View> view;
  members.Part("view", ViewOf, &view);
  plan.view = view.value_or(View{});
  OrderSpec& order = plan.order;
  members.Number("seed", &order.seed);
  members.Named("shuffle",
                {{"full", ShuffleKind::kFull},
                 {"window", ShuffleKind::kWindow},
                 {"none", ShuffleKind::kNone}},
                &order.shuffle);
  members.Number("window", &order.shuffle_window);
  std::optional<Sampling> sampling;
  members.Part("sampling", SamplingOf, &sampling);
  order.sampling = sampling.value_or(Sampling{});
  DeliverySpec& delivery = plan.delivery;
  members.Part("image", ImageOf, &delivery.image);
  members.Part("strokes", StrokesOf, &delivery.strokes);
  members.Part("augment", AugmentOf, &delivery.augment);
  members.Number("views", &delivery.views);
  members.List("columns", &delivery.columns);
  members.Number("ignore_index", &delivery.ignore_index);
  members.Number("batch_size", &delivery.batch_size);
  members.Number("rank", &delivery.rank);
  members.Number("world", &delivery.world);
  members.Named(
      "tail",
      {{"drop", Tail::kDrop}, {"partial", Tail::kPartial}, {"pad", Tail::kPad}},
      &delivery.tail);
  element epochs;
  if (members.Find("epochs", &epochs) && epochs.is_string()) {
    delivery.epochs = std::nullopt;
  } else {
    uint64_t number = 1;
    members.Number("epochs", &number);
    delivery.epochs = number;
  }
  members.Number("step_offset", &delivery.step_offset);
  members.Number("step_stride", &delivery.step_stride);
  members.Named("on_corrupt",
                {{"fail", OnCorrupt::kFail}, {"skip", OnCorrupt::kSkip}},
                &delivery.on_corrupt);
  members.Number("max_bad", &delivery.max_bad);
  members.Named("codec",
                {{"none", Codec::kNone},
                 {"auto", Codec::kAuto},
                 {"strokes", Codec::kStrokes}},
                &delivery.codec);
  members.Part("start", CursorOf, &plan.start);
  if (!members.status().ok()) return members.status();
  return plan;
}

absl::StatusOr<FetchRequest> FetchOf(const Json& json) {
  absl::StatusOr<Plan> plan = PlanOf(json);
  if (!plan.ok()) return plan.status();
  Members members(json);
  FetchRequest request;
  request.view = plan->view;
  request.image = plan->delivery.image;
  request.strokes = plan->delivery.strokes;
  request.augment = plan->delivery.augment;
  request.views = plan->delivery.views;
  request.columns = plan->delivery.columns;
  request.ignore_index = plan->delivery.ignore_index;
  request.seed = plan->order.seed;
  members.List("indices", &request.indices);
  members.List("ranks", &request.ranks);
  members.List("keys", &request.key_ids);
  members.Number("epoch", &request.epoch);
  members.Number("first_view", &request.first_view);
  if (!members.status().ok()) return members.status();
  return request;
}

absl::StatusOr<ClientOptions> OptionsOf(const Json& json) {
  Members members(json);
  ClientOptions options;
  members.Named("transport",
                {{"auto", TransportChoice::kAuto},
                 {"grpc", TransportChoice::kGrpc},
                 {"shm", TransportChoice::kShm}},
                &options.transport);
  members.Number("ahead", &options.read_ahead);
  double seconds = 0;
  const std::vector<std::pair<const char*, absl::Duration*>> times = {
      {"timeout", &options.call_timeout},
      {"retry_for", &options.failover_timeout},
      {"stall", &options.stall_timeout}};
  for (const auto& [name, to] : times) {
    seconds = absl::ToDoubleSeconds(*to);
    members.Number(name, &seconds);
    *to = absl::Seconds(seconds);
  }
  if (!members.status().ok()) return members.status();
  return options;
}

}  // namespace inkstream::conformance
