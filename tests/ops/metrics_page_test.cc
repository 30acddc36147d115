#include "server/ops/metrics_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inkstream::ops {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(MetricsPage, ServerWithoutStreamsTellsWhatItIs) {
  MetricsInput input;
  input.version = "1.2";
  input.grpc_version = "1.51";
  input.lost_log_lines = 4;
  input.service.now.workers = 3;
  input.service.budgets = {{"batch", {.budget = 1000, .used = 10}}};
  input.process.open_descriptors = 17;
  const std::string page = MetricsPage(input);
  EXPECT_THAT(page, HasSubstr("\ninkstream_workers 3\n"));
  EXPECT_THAT(
      page,
      HasSubstr("inkstream_build_info{version=\"1.2\",grpc=\"1.51\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("# TYPE inkstream_log_lines_lost_total counter\n"
                              "inkstream_log_lines_lost_total 4\n"));
  EXPECT_THAT(
      page,
      HasSubstr("inkstream_budget_bytes{kind=\"batch\",what=\"used\"} 10\n"));
  EXPECT_THAT(page, HasSubstr("\ninkstream_ready 0\n"));
  EXPECT_THAT(page, HasSubstr("\nprocess_open_fds 17\n"));
}

TEST(MetricsPage, NothingOfOneStreamIsOnIt) {
  MetricsInput input;
  input.service.stores = {{.dataset = "quick\"draw", .generation = 2}};
  transport::StreamSnapshot stream;
  stream.report.id = 70001;
  stream.report.dataset = "quick\"draw";
  stream.report.peer = "ipv4:10.0.0.9:4711";
  stream.warning = "another client streams the same";
  input.service.now.streams = {stream, stream};
  input.service.stream_seconds["quick\"draw"].waited.client = 1.5;
  input.service.counts.sent[{"quick\"draw", false, Codec::kStrokes}].drawings =
      77;
  const std::string page = MetricsPage(input);
  EXPECT_THAT(page, Not(HasSubstr("70001")));
  EXPECT_THAT(page, Not(HasSubstr("4711")));
  EXPECT_THAT(page, HasSubstr(R"(inkstream_streams{dataset="quick\"draw"} 2)"
                              "\n"));
  EXPECT_THAT(page, HasSubstr("inkstream_duplicate_streams 2\n"));
  EXPECT_THAT(page, HasSubstr(R"(inkstream_stream_seconds_total{)"
                              R"(dataset="quick\"draw",state="client"} 1.5)"));
  EXPECT_THAT(page,
              HasSubstr(R"(inkstream_drawings_sent_total{dataset="quick\"draw")"
                        R"(,transport="tcp",codec="strokes"} 77)"));
}

TEST(MetricsPage, ADatasetWhosePathHoldsSomethingElseIsMarked) {
  MetricsInput input;
  input.datasets = {{.name = "one"},
                    {.name = "two", .successor_refused = true}};
  const std::string page = MetricsPage(input);
  EXPECT_THAT(
      page,
      HasSubstr("inkstream_dataset_successor_refused{dataset=\"one\"} 0\n"));
  EXPECT_THAT(
      page,
      HasSubstr("inkstream_dataset_successor_refused{dataset=\"two\"} 1\n"));
}

TEST(MetricsPage, ConnectionsAndCachesAreCounted) {
  MetricsInput input;
  input.service.now.connections = {.open = 3,
                                   .limit = 9,
                                   .of_a_peer = 2,
                                   .limit_of_a_peer = 8,
                                   .accepted = 20,
                                   .refused = 4,
                                   .starved = 5,
                                   .displaced = 6,
                                   .silent = 7};
  input.service.caches = {{"view", {.hits = 11, .misses = 12}}};
  const std::string page = MetricsPage(input);
  for (const char* line :
       {"inkstream_connections{of=\"all\",what=\"open\"} 3\n",
        "inkstream_connections{of=\"all\",what=\"limit\"} 9\n",
        "inkstream_connections{of=\"peer\",what=\"open\"} 2\n",
        "inkstream_connections{of=\"peer\",what=\"limit\"} 8\n",
        "inkstream_connections_accepted_total 20\n",
        "inkstream_connections_refused_total{reason=\"limit\"} 4\n",
        "inkstream_connections_refused_total{reason=\"descriptors\"} 5\n",
        "inkstream_connections_refused_total{reason=\"displaced\"} 6\n",
        "inkstream_connections_refused_total{reason=\"silent\"} 7\n",
        "inkstream_cache_lookups_total{cache=\"view\",result=\"hit\"} 11\n",
        "inkstream_cache_lookups_total{cache=\"view\",result=\"miss\"} 12\n"}) {
    EXPECT_THAT(page, HasSubstr(line));
  }
}

TEST(MetricsPage, AnswersOfThePageAreCallsByTheStatusOfTheirCode) {
  MetricsInput input;
  input.page_answers = {{200, 9}, {401, 3}, {403, 2}, {503, 1}};
  const std::string page = MetricsPage(input);
  const std::string calls = "inkstream_calls_total{method=\"page\",code=";
  for (const char* line :
       {"\"OK\"} 9\n", "\"UNAUTHENTICATED\"} 3\n", "\"PERMISSION_DENIED\"} 2\n",
        "\"UNAVAILABLE\"} 1\n"}) {
    EXPECT_THAT(page, HasSubstr(calls + line));
  }
}

TEST(MetricsPage, HistogramsAreCumulative) {
  MetricsInput input;
  transport::SecondsHistogram histogram;
  histogram.Add(0.0001);
  histogram.Add(0.5);
  histogram.Add(9);
  input.service.counts.stages["draw"] = histogram;
  const std::string page = MetricsPage(input);
  const std::string bucket = "inkstream_batch_stage_seconds_bucket";
  EXPECT_THAT(page, HasSubstr(bucket + R"({stage="draw",le="0.0003"} 1)"));
  EXPECT_THAT(page, HasSubstr(bucket + R"({stage="draw",le="1"} 2)"));
  EXPECT_THAT(page, HasSubstr(bucket + R"({stage="draw",le="+Inf"} 3)"));
  EXPECT_THAT(
      page, HasSubstr("inkstream_batch_stage_seconds_count{stage=\"draw\"} 3"));
}

TEST(ProcessFigures, AreThisProcess) {
  const ProcessFigures figures = ReadProcessFigures();
  EXPECT_GT(figures.resident_bytes, 0U);
  EXPECT_GE(figures.virtual_bytes, figures.resident_bytes);
  EXPECT_GE(figures.open_descriptors, 3U);
  EXPECT_LE(figures.open_descriptors, figures.max_descriptors);
  const double now = static_cast<double>(time(nullptr));
  EXPECT_GT(figures.start_time, now - 3600);
  EXPECT_LT(figures.start_time, now + 2);
}

}  // namespace
}  // namespace inkstream::ops
