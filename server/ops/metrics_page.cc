#include "server/ops/metrics_page.h"

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>
#include <prometheus/metric_type.h>
#include <prometheus/text_serializer.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace inkstream::ops {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

using Labels = std::vector<ClientMetric::Label>;

// Metrics of one name.
class Family {
 public:
  Family(const char* name, const char* help, MetricType type) {
    family_.name = name;
    family_.help = help;
    family_.type = type;
  }

  Family& Add(double value, Labels labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    if (family_.type == MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
    family_.metric.push_back(std::move(metric));
    return *this;
  }

  MetricFamily Take() { return std::move(family_); }

 private:
  MetricFamily family_;
};

MetricFamily Counter(const char* name, const char* help, double value) {
  return Family(name, help, MetricType::Counter).Add(value).Take();
}
MetricFamily Gauge(const char* name, const char* help, double value) {
  return Family(name, help, MetricType::Gauge).Add(value).Take();
}

Labels LabelsOf(const transport::StreamReport& report) {
  return {{"stream", absl::StrCat(report.id)},
          {"dataset", report.dataset},
          {"peer", report.peer},
          {"rank", absl::StrCat(report.rank)}};
}

void AddStreams(const std::vector<transport::StreamSnapshot>& streams,
                std::vector<MetricFamily>* families) {
  Family batches("inkstream_stream_batches_total",
                 "Batches that a stream has sent.", MetricType::Counter);
  Family drawings("inkstream_stream_drawings_total",
                  "Drawings that a stream has sent.", MetricType::Counter);
  Family waits("inkstream_stream_wait_seconds_total",
               "Seconds that a stream has waited: for credits of its client, "
               "for workers, for the network to take a message; and that "
               "workers have spent reading its drawings from the store.",
               MetricType::Counter);
  Family twins("inkstream_stream_has_twin",
               "1: another client streams the same plan, epoch and rank.",
               MetricType::Gauge);
  for (const transport::StreamSnapshot& stream : streams) {
    const transport::StreamReport& report = stream.report;
    const Labels labels = LabelsOf(report);
    batches.Add(static_cast<double>(report.batches), labels);
    drawings.Add(static_cast<double>(report.drawings), labels);
    twins.Add(stream.warning.empty() ? 0 : 1, labels);
    const auto add_wait = [&](const char* whom, double seconds) {
      Labels with_whom = labels;
      with_whom.push_back({"for", whom});
      waits.Add(seconds, std::move(with_whom));
    };
    add_wait("client", report.waited.client);
    add_wait("workers", report.waited.workers);
    add_wait("network", report.waited_network);
    add_wait("store", report.waited.store);
  }
  for (Family* family : {&batches, &drawings, &waits, &twins}) {
    families->push_back(family->Take());
  }
}

}  // namespace

std::string MetricsPage(const transport::ServerSnapshot& snapshot) {
  const auto number = [](uint64_t value) { return static_cast<double>(value); };
  std::vector<MetricFamily> families = {
      Gauge("inkstream_uptime_seconds", "Since the server was started.",
            snapshot.uptime_seconds),
      Counter("inkstream_cpu_seconds_total", "CPU time of the process.",
              snapshot.cpu_seconds),
      Gauge("inkstream_workers", "Threads that draw.", snapshot.workers),
      Gauge("inkstream_open_streams", "Streams that are open.",
            snapshot.open_streams),
      Gauge("inkstream_draining", "1: the server is about to leave.",
            snapshot.draining ? 1 : 0),
      Gauge("inkstream_batch_memory_budget_bytes",
            "What batches may take together.", number(snapshot.memory.budget)),
      Gauge("inkstream_batch_memory_used_bytes", "What they take now.",
            number(snapshot.memory.used)),
      Counter("inkstream_batches_sent_total", "Batches, over all streams.",
              number(snapshot.sent.batches)),
      Counter("inkstream_drawings_sent_total", "Drawings, over all streams.",
              number(snapshot.sent.drawings)),
      Counter("inkstream_bytes_sent_total", "Bytes of batches, unpacked.",
              number(snapshot.sent.bytes)),
      Counter("inkstream_wire_bytes_sent_total", "Bytes in messages.",
              number(snapshot.sent.wire_bytes)),
  };
  AddStreams(snapshot.streams, &families);
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace inkstream::ops
