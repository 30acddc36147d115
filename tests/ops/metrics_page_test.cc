#include "server/ops/metrics_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inkstream::ops {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(MetricsPage, ServerWithoutStreamsTellsWhatItIs) {
  transport::ServerSnapshot snapshot;
  snapshot.workers = 3;
  snapshot.memory = {.budget = 1000, .used = 10};
  snapshot.sent.drawings = 77;
  const std::string page = MetricsPage(snapshot);
  EXPECT_THAT(page, HasSubstr("# TYPE inkstream_drawings_sent_total counter\n"
                              "inkstream_drawings_sent_total 77\n"));
  EXPECT_THAT(page, HasSubstr("\ninkstream_workers 3\n"));
  EXPECT_THAT(page, HasSubstr("\ninkstream_batch_memory_used_bytes 10\n"));
  EXPECT_THAT(page, HasSubstr("\ninkstream_draining 0\n"));
  EXPECT_THAT(page, Not(HasSubstr("{stream=")));
}

TEST(MetricsPage, EachStreamTellsWhomItWaitsFor) {
  transport::ServerSnapshot snapshot;
  transport::StreamSnapshot stream;
  stream.report.id = 7;
  stream.report.dataset = "quick\"draw";
  stream.report.peer = "unix:";
  stream.report.rank = 2;
  stream.report.waited.client = 1.5;
  stream.report.waited.workers = 2.5;
  stream.report.waited.store = 0.25;
  stream.report.waited_network = 4.5;
  stream.warning = "another client streams the same";
  snapshot.streams.push_back(stream);
  const std::string page = MetricsPage(snapshot);
  const std::string labels =
      R"({stream="7",dataset="quick\"draw",peer="unix:",rank="2")";
  for (const auto& [whom, seconds] :
       {std::pair("client", "1.5"), std::pair("workers", "2.5"),
        std::pair("store", "0.25"), std::pair("network", "4.5")}) {
    EXPECT_THAT(page, HasSubstr("inkstream_stream_wait_seconds_total" + labels +
                                ",for=\"" + whom + "\"} " + seconds + "\n"));
  }
  EXPECT_THAT(page, HasSubstr("inkstream_stream_has_twin" + labels + "} 1\n"));
}

}  // namespace
}  // namespace inkstream::ops
