#include "server/ops/metrics_page.h"

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>
#include <prometheus/metric_type.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

namespace inkstream::ops {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;
using transport::SecondsHistogram;

// Metrics, gathered name by name.
class Page {
 public:
  // The family that Add() adds to from now on.
  void Begin(const char* name, MetricType type, const char* help) {
    families_.push_back({name, help, type, {}});
  }

  void Add(double value, Labels labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    if (families_.back().type == MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
    families_.back().metric.push_back(std::move(metric));
  }

  void Add(const SecondsHistogram& histogram, Labels labels) {
    ClientMetric metric;
    metric.label = std::move(labels);
    uint64_t count = 0;
    for (size_t i = 0; i < histogram.counts.size(); ++i) {
      count += histogram.counts[i];
      const double bound = i < SecondsHistogram::kBounds.size()
                               ? SecondsHistogram::kBounds[i]
                               : std::numeric_limits<double>::infinity();
      metric.histogram.bucket.push_back({count, bound});
    }
    metric.histogram.sample_count = count;
    metric.histogram.sample_sum = histogram.sum;
    families_.back().metric.push_back(std::move(metric));
  }

  void Counter(const char* name, const char* help, double value) {
    Begin(name, MetricType::Counter, help);
    Add(value);
  }
  void Gauge(const char* name, const char* help, double value) {
    Begin(name, MetricType::Gauge, help);
    Add(value);
  }

  std::string Text() const {
    return prometheus::TextSerializer().Serialize(families_);
  }

 private:
  std::vector<MetricFamily> families_;
};

double Number(uint64_t value) { return static_cast<double>(value); }

const char* CodecText(Codec codec) {
  switch (codec) {
    case Codec::kStrokes:
      return "strokes";
    case Codec::kNone:
    case Codec::kAuto:
      break;
  }
  return "none";
}

void AddServer(const MetricsInput& input, Page* page) {
  const transport::ServerSnapshot& now = input.service.now;
  page->Begin("inkstream_build_info", MetricType::Gauge,
              "1, with the versions of this server and of its gRPC.");
  page->Add(1, {{"version", input.version}, {"grpc", input.grpc_version}});
  page->Gauge("inkstream_ready", "1: takes new streams, as /readyz says.",
              input.ready ? 1 : 0);
  page->Gauge("inkstream_draining", "1: the server is about to leave.",
              now.draining ? 1 : 0);
  page->Gauge("inkstream_uptime_seconds", "Since the server was started.",
              now.uptime_seconds);
  page->Gauge("inkstream_workers", "Threads that make batches.", now.workers);
  page->Counter("inkstream_log_lines_lost_total",
                "Lines of the log that nobody took in time.",
                Number(input.lost_log_lines));
  page->Begin("inkstream_budget_bytes", MetricType::Gauge,
              "Memory of a kind: what there may be (limit) and is (used).");
  for (const auto& [kind, use] : input.service.budgets) {
    page->Add(Number(use.budget), {{"kind", kind}, {"what", "limit"}});
    page->Add(Number(use.used), {{"kind", kind}, {"what", "used"}});
  }
}

void AddConnections(const transport::ConnectionCounts& connections,
                    Page* page) {
  page->Begin("inkstream_connections", MetricType::Gauge,
              "Connections to gRPC: what there may be (limit) and are (open), "
              "in all and of the peer that has most.");
  for (const auto& [of, limit, open] :
       {std::tuple("all", connections.limit, connections.open),
        {"peer", connections.limit_of_a_peer, connections.of_a_peer}}) {
    page->Add(limit, {{"of", of}, {"what", "limit"}});
    page->Add(open, {{"of", of}, {"what", "open"}});
  }
  page->Counter("inkstream_connections_accepted_total",
                "Connections that came, also those that were refused.",
                Number(connections.accepted));
  page->Begin("inkstream_connections_refused_total", MetricType::Counter,
              "Connections refused at a limit or for want of descriptors, "
              "closed without a call for a newcomer (displaced), or because "
              "they sent nothing in time (silent).");
  for (const auto& [reason, count] : {std::pair("limit", connections.refused),
                                      {"descriptors", connections.starved},
                                      {"displaced", connections.displaced},
                                      {"silent", connections.silent}}) {
    page->Add(Number(count), {{"reason", reason}});
  }
}

void AddFiles(const transport::SecurityFigures& security,
              const transport::ReloadFigures& config, Page* page) {
  if (security.tls.has_value()) {
    page->Begin("inkstream_tls_expiry_timestamp_seconds", MetricType::Gauge,
                "When the certificate in use expires, and of the authorities "
                "of clients the first one; seconds since 1970.");
    page->Add(Number(security.expires), {{"certificate", "server"}});
    if (security.client_ca_expires > 0) {
      page->Add(Number(security.client_ca_expires),
                {{"certificate", "client_ca"}});
    }
  }
  if (security.tokens.has_value()) {
    page->Gauge("inkstream_tokens", "Tokens that callers may have.",
                Number(security.token_count));
  }
  const std::pair<const char*, std::optional<transport::ReloadFigures>>
      files[] = {{"config", config},
                 {"tls", security.tls},
                 {"tokens", security.tokens}};
  page->Begin("inkstream_reload_ok", MetricType::Gauge,
              "0: files that were replaced hold nothing good, and what they "
              "held before is in use; the log says why.");
  for (const auto& [name, reload] : files) {
    if (reload.has_value()) {
      page->Add(reload->good ? 1 : 0, {{"files", name}});
    }
  }
  page->Begin("inkstream_reload_timestamp_seconds", MetricType::Gauge,
              "When what is in use was read, in seconds since 1970.");
  for (const auto& [name, reload] : files) {
    if (reload.has_value()) {
      page->Add(Number(reload->since), {{"files", name}});
    }
  }
}

void AddCaches(const std::map<std::string, batch::Lookups>& caches,
               Page* page) {
  page->Begin("inkstream_cache_lookups_total", MetricType::Counter,
              "Requests for a view or key set that was there (hit) or had to "
              "be made or uploaded (miss).");
  for (const auto& [cache, lookups] : caches) {
    page->Add(Number(lookups.hits), {{"cache", cache}, {"result", "hit"}});
    page->Add(Number(lookups.misses), {{"cache", cache}, {"result", "miss"}});
  }
}

void AddStores(const std::vector<transport::StoreSnapshot>& stores,
               Page* page) {
  page->Begin("inkstream_store_info", MetricType::Gauge,
              "1, with the generation of a dataset that is in use.");
  for (const transport::StoreSnapshot& store : stores) {
    page->Add(1, {{"dataset", store.dataset},
                  {"generation", std::to_string(store.generation)},
                  {"fingerprint", store.fingerprint}});
  }
  page->Begin("inkstream_store_drawings", MetricType::Gauge,
              "Drawings of that generation.");
  for (const transport::StoreSnapshot& store : stores) {
    page->Add(Number(store.drawings), {{"dataset", store.dataset}});
  }
  page->Begin("inkstream_store_resident_ratio", MetricType::Gauge,
              "Share of its bytes that lie in memory, by a sample of pages.");
  for (const transport::StoreSnapshot& store : stores) {
    page->Add(store.resident, {{"dataset", store.dataset}});
  }
}

void AddDatasets(const std::vector<DatasetFigures>& datasets, Page* page) {
  page->Begin("inkstream_dataset_successor_refused", MetricType::Gauge,
              "1: at the store's path stands what is not served in its place; "
              "the log says why.");
  for (const DatasetFigures& dataset : datasets) {
    page->Add(dataset.successor_refused ? 1 : 0, {{"dataset", dataset.name}});
  }
  page->Begin("inkstream_dataset_intact", MetricType::Gauge,
              "0: a file of the store cannot be read any more, so the dataset "
              "is not served; the log says which.");
  for (const DatasetFigures& dataset : datasets) {
    page->Add(dataset.intact ? 1 : 0, {{"dataset", dataset.name}});
  }
  const auto add_scrub = [&](const char* name, MetricType type,
                             const char* help,
                             uint64_t DatasetFigures::*field) {
    page->Begin(name, type, help);
    for (const DatasetFigures& dataset : datasets) {
      page->Add(Number(dataset.*field), {{"dataset", dataset.name}});
    }
  };
  add_scrub("inkstream_scrubbed_bytes_total", MetricType::Counter,
            "Bytes of stores that were read again and checked.",
            &DatasetFigures::scrubbed_bytes);
  add_scrub("inkstream_scrub_passes_total", MetricType::Counter,
            "Times that all of a dataset was.", &DatasetFigures::scrub_passes);
  add_scrub("inkstream_scrub_damaged_blocks", MetricType::Gauge,
            "Blocks that the last pass found damaged; drawings in them are "
            "DATA_LOSS.",
            &DatasetFigures::damaged_blocks);
}

void AddSent(const std::map<transport::SentKey, transport::SentTotals>& all,
             Page* page) {
  const auto add = [&](const char* name, const char* help,
                       uint64_t transport::SentTotals::*field) {
    page->Begin(name, MetricType::Counter, help);
    for (const auto& [key, sent] : all) {
      page->Add(Number(sent.*field),
                {{"dataset", key.dataset},
                 {"transport", key.is_unix ? "unix" : "tcp"},
                 {"codec", CodecText(key.codec)}});
    }
  };
  using transport::SentTotals;
  add("inkstream_batches_sent_total", "Batches of streams.",
      &SentTotals::batches);
  add("inkstream_drawings_sent_total", "Drawings of streams.",
      &SentTotals::drawings);
  add("inkstream_bytes_sent_total", "Bytes of batches, unpacked.",
      &SentTotals::bytes);
  add("inkstream_wire_bytes_sent_total", "Bytes that they were in messages.",
      &SentTotals::wire_bytes);
}

void AddStreams(const transport::ServiceFigures& service, Page* page) {
  std::map<std::string, uint64_t> open;
  for (const transport::StoreSnapshot& store : service.stores) {
    open[store.dataset] = 0;
  }
  uint64_t duplicates = 0;
  for (const transport::StreamSnapshot& stream : service.now.streams) {
    if (!stream.report.dataset.empty()) ++open[stream.report.dataset];
    if (!stream.warning.empty()) ++duplicates;
  }
  page->Begin("inkstream_streams", MetricType::Gauge, "Streams that are open.");
  for (const auto& [dataset, count] : open) {
    page->Add(Number(count), {{"dataset", dataset}});
  }
  page->Gauge("inkstream_duplicate_streams",
              "Streams with the plan, epoch and rank of another one.",
              Number(duplicates));
  page->Begin("inkstream_stream_seconds_total", MetricType::Counter,
              "Where the lives of streams went, one thing at a time: opening; "
              "waiting for the client (no credits), the network (a write in "
              "flight), memory, a worker (queue), the disk; decoding, drawing, "
              "packing.");
  for (const auto& [dataset, seconds] : service.stream_seconds) {
    const batch::WaitTimes& waited = seconds.waited;
    for (const auto& [state, value] : {std::pair("opening", seconds.opening),
                                       {"client", waited.client},
                                       {"network", seconds.network},
                                       {"memory", waited.memory},
                                       {"queue", waited.queue},
                                       {"disk", waited.disk},
                                       {"decode", waited.decode},
                                       {"draw", waited.draw},
                                       {"pack", waited.pack}}) {
      page->Add(value, {{"dataset", dataset}, {"state", state}});
    }
  }
  page->Begin("inkstream_batch_stage_seconds", MetricType::Histogram,
              "What a batch took: until a worker began (queue), threads' time "
              "by stage, and the write of it and those sent with it.");
  for (const auto& [stage, histogram] : service.counts.stages) {
    page->Add(histogram, {{"stage", stage}});
  }
}

// The name of the status that page_answer.cc makes this of, or would.
const char* CodeText(unsigned int http) {
  switch (http) {
    case 200:
      return "OK";
    case 400:
      return "INVALID_ARGUMENT";
    case 401:
      return "UNAUTHENTICATED";
    case 403:
      return "PERMISSION_DENIED";
    case 404:
      return "NOT_FOUND";
    case 405:
      return "UNIMPLEMENTED";
    case 503:
      return "UNAVAILABLE";
    default:
      return "INTERNAL";
  }
}

void AddCalls(const transport::ServiceCounts::Values& counts,
              const std::map<unsigned int, uint64_t>& page_answers,
              Page* page) {
  page->Begin("inkstream_stream_ends_total", MetricType::Counter,
              "Streams that ended, by status code and reason.");
  for (const auto& [key, count] : counts.ends) {
    page->Add(Number(count), {{"code", key.first}, {"reason", key.second}});
  }
  page->Begin("inkstream_calls_total", MetricType::Counter,
              "Other calls that were answered.");
  for (const auto& [key, count] : counts.calls) {
    page->Add(Number(count), {{"method", key.first}, {"code", key.second}});
  }
  for (const auto& [code, count] : page_answers) {
    page->Add(Number(count), {{"method", "page"}, {"code", CodeText(code)}});
  }
  page->Begin("inkstream_rejected_total", MetricType::Counter,
              "Streams and calls that ended as UNAVAILABLE or "
              "RESOURCE_EXHAUSTED.");
  for (const auto& [reason, count] : counts.rejected) {
    page->Add(Number(count), {{"reason", reason}});
  }
}

void AddProcess(const ProcessFigures& process, Page* page) {
  page->Counter("process_cpu_seconds_total", "User and system time.",
                process.cpu_seconds);
  page->Gauge("process_start_time_seconds", "Since 1970.", process.start_time);
  page->Gauge("process_resident_memory_bytes", "In memory, mapped stores too.",
              Number(process.resident_bytes));
  page->Gauge("process_virtual_memory_bytes", "Addresses in use.",
              Number(process.virtual_bytes));
  page->Gauge("process_open_fds", "Descriptors in use.",
              Number(process.open_descriptors));
  page->Gauge("process_max_fds", "Descriptors that there may be.",
              Number(process.max_descriptors));
  page->Counter("process_major_page_faults_total",
                "Page faults that had to wait for a disk.",
                Number(process.major_faults));
}

}  // namespace

std::string MetricsPage(const MetricsInput& input) {
  Page page;
  AddServer(input, &page);
  AddConnections(input.service.now.connections, &page);
  AddFiles(input.service.security, input.config, &page);
  AddCaches(input.service.caches, &page);
  AddStores(input.service.stores, &page);
  AddDatasets(input.datasets, &page);
  AddSent(input.service.counts.sent, &page);
  AddStreams(input.service, &page);
  AddCalls(input.service.counts, input.page_answers, &page);
  AddProcess(input.process, &page);
  return page.Text();
}

}  // namespace inkstream::ops
