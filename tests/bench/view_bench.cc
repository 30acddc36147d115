// Opening views: each is resolved anew over a store whose pages are in memory,
// on all cores, and for samplings with everything that their order draws from.
// `again` is the second stream of a view that is open.
//
// Input: INKSTREAM_BENCH_STORE, a store; where it does not exist yet,
// INKSTREAM_BENCH_DRAWINGS (default 1,000,000) tiny drawings of 345 classes are
// written there (or into a scratch directory), a class after the other, as
// ingested files stand.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/batch/view/sampled_view.h"
#include "server/batch/view/view_cache.h"
#include "server/order/sample_hash.h"
#include "server/store/store_reader.h"
#include "server/store/store_writer.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::batch {
namespace {

constexpr uint64_t kClasses = 345;
constexpr size_t kAppend = 4096;
constexpr size_t kBudget = size_t{2} << 30U;
constexpr uint64_t kKeys = 1'000'000;

std::string Word(uint64_t label) { return absl::StrFormat("word%03d", label); }

Drawing MakeDrawing(uint64_t index, uint64_t drawings) {
  const uint64_t chance = order::SampleHash(index);
  Drawing drawing;
  drawing.x = {0, static_cast<float>(chance % 256)};
  drawing.y = {0, static_cast<float>(chance / 256 % 256)};
  drawing.stroke_ends = {2};
  drawing.word = Word(index * kClasses / drawings);
  drawing.countrycode = std::string{static_cast<char>('A' + chance % 9),
                                    static_cast<char>('A' + chance % 23)};
  // Ten months of 2017.
  drawing.timestamp =
      Timestamp{static_cast<int64_t>(1'485'000'000'000'000 +
                                     chance % 26'000'000 * 1'000'000),
                0};
  drawing.recognized = chance % 10 != 0;
  drawing.key_id = static_cast<int64_t>(4503599627370496 + (chance >> 12U));
  return drawing;
}

void Write(const std::string& path, uint64_t drawings) {
  store::WriterOptions options;
  options.splits = {{"train", 0.9}, {"valid", 0.05}, {"test", 0.05}};
  auto writer = store::StoreWriter::Create(path, options);
  if (!writer.ok()) std::abort();
  for (uint64_t at = 0; at < drawings; at += kAppend) {
    std::vector<Drawing> some(std::min<uint64_t>(kAppend, drawings - at));
    for (size_t i = 0; i < some.size(); ++i) {
      some[i] = MakeDrawing(at + i, drawings);
    }
    if (!(*writer)->Append(std::move(some)).ok()) std::abort();
  }
  if (!(*writer)->Finish().ok()) std::abort();
}

const store::StoreReader& Store() {
  static const std::shared_ptr<const store::StoreReader> opened = [] {
    const testing::ScratchDirectory scratch;
    const char* const given = std::getenv("INKSTREAM_BENCH_STORE");
    const std::string path = given != nullptr ? given : scratch.File("store");
    if (!std::filesystem::exists(path)) {
      const char* const drawings = std::getenv("INKSTREAM_BENCH_DRAWINGS");
      Write(path, drawings != nullptr ? std::strtoull(drawings, nullptr, 10)
                                      : 1'000'000);
    }
    store::OpenOptions options;
    options.preload = true;
    return *store::StoreReader::Open(path, options);
  }();
  return *opened;
}

int Threads() {
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

std::string UploadKeys(ViewCache* views, bool weighted) {
  std::vector<int64_t> keys;
  const uint64_t stride = std::max<uint64_t>(1, Store().size() / kKeys);
  for (uint64_t i = 0; i < Store().size(); i += stride) {
    keys.push_back(Store().KeyId(i));
  }
  std::unique_ptr<KeyUpload> upload = views->key_sets().NewUpload();
  std::vector<double> weights(weighted ? keys.size() : 0);
  for (size_t i = 0; i < weights.size(); ++i) {
    weights[i] = 1 + static_cast<double>(i % 100);
  }
  const absl::Status added =
      weighted ? upload->AddWeights(DrawingName::kKey, keys, weights)
               : upload->Add(keys);
  if (!added.ok()) std::abort();
  const auto set = views->key_sets().Keep(std::move(upload));
  if (!set.ok()) std::abort();
  return set->hash;
}

View Where(const std::string& column, WhereOp op,
           std::vector<std::string> values) {
  View view;
  view.where = {{column, op, std::move(values)}};
  return view;
}

struct Opening {
  std::string name;
  View view;
  Sampling sampling = {};
  bool keys = false;
};

std::vector<Opening> Openings() {
  std::vector<Opening> all = {
      {"everything", View{}},
      {"split", View{"train"}},
      {"slice", View{"train[:10%]"}},
      {"recognized", Where("recognized", WhereOp::kEq, {"true"})},
      {"country", Where("countrycode", WhereOp::kIn, {"AA", "BB", "CC"})},
      {"timestamps", Where("timestamp", WhereOp::kGe, {"2017-03-02"})},
  };
  const auto add = [&](const std::string& name) -> Opening& {
    all.push_back({name, View{"train"}});
    return all.back();
  };
  for (int c = 0; c < 10; ++c) {
    if (c == 0) add("ten_classes").view.split.clear();
    all.back().view.classes.push_back(Word(31 * c));
  }
  add("fold").view.fold = Fold{0, 5, false};
  add("fraction").view.fraction = 0.1;
  add("max_per_class").view.max_per_class = 10'000;
  add("include_keys").keys = true;
  add("several_terms").view.where = {
      {"recognized", WhereOp::kEq, {"true"}},
      {"timestamp", WhereOp::kGe, {"2017-03-02"}},
      {"countrycode", WhereOp::kNotIn, {"AA", "BB"}}};
  add("balanced").sampling = {SamplingKind::kBalanced, 0.5};
  Opening& weights = add("weights_of_keys");
  weights.keys = true;
  weights.sampling.kind = SamplingKind::kDrawings;
  Opening& mix = add("mix_of_three");
  mix.sampling.kind = SamplingKind::kMix;
  mix.sampling.weights = {1, 2, 3};
  mix.sampling.views = {Where("recognized", WhereOp::kEq, {"true"}),
                        Where("recognized", WhereOp::kEq, {"false"}),
                        View{"train[:10%]"}};
  return all;
}

std::shared_ptr<const SampledView> Open(ViewCache* views,
                                        const Opening& opening) {
  auto sampled =
      SampledView::Create(views, Store(), opening.view, opening.sampling);
  if (!sampled.ok()) std::abort();
  return *std::move(sampled);
}

void OpenView(benchmark::State& state, Opening opening, bool again) {
  std::shared_ptr<const SampledView> kept;
  auto views = std::make_unique<ViewCache>(kBudget, Threads());
  Store();
  for (auto _ : state) {
    state.PauseTiming();
    if (!again) views = std::make_unique<ViewCache>(kBudget, Threads());
    if (opening.keys) {
      const bool weighted = opening.sampling.kind == SamplingKind::kDrawings;
      (weighted ? opening.sampling.drawings : opening.view.include_keys) =
          UploadKeys(views.get(), weighted);
    }
    if (again && kept == nullptr) kept = Open(views.get(), opening);
    state.ResumeTiming();
    kept = Open(views.get(), opening);
  }
  state.counters["drawings"] = static_cast<double>(kept->view()->size());
  state.counters["MiB"] = static_cast<double>(views->bytes()) / (1U << 20U);
}

}  // namespace
}  // namespace inkstream::batch

int main(int argc, char** argv) {
  using namespace inkstream::batch;
  benchmark::Initialize(&argc, argv);
  for (const Opening& opening : Openings()) {
    benchmark::RegisterBenchmark(
        absl::StrCat("open/", opening.name).c_str(),
        [=](benchmark::State& state) { OpenView(state, opening, false); })
        ->UseRealTime()
        ->MeasureProcessCPUTime()
        ->Unit(benchmark::kMillisecond);
  }
  for (const Opening& opening : Openings()) {
    if (opening.name != "split" && opening.name != "mix_of_three") continue;
    benchmark::RegisterBenchmark(
        absl::StrCat("again/", opening.name).c_str(),
        [=](benchmark::State& state) { OpenView(state, opening, true); })
        ->UseRealTime();
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
