// The page, over a connection of loopback each time: a page of a gallery, one
// drawing, its pixels, the file itself.
//
// Input: INKSTREAM_BENCH_STORE, a store; one of synthetic drawings without it.

#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/batch/engine.h"
#include "server/ingest/generate/class_catalog.h"
#include "server/ingest/generate/drawing_generator.h"
#include "server/ops/http_server.h"
#include "server/page/page.h"
#include "server/store/store_reader.h"
#include "server/store/store_writer.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::page {
namespace {

constexpr uint64_t kSynthetic = 50000;
constexpr uint64_t kMemory = 1U << 30U;

std::shared_ptr<const store::StoreReader> OpenStore() {
  if (const char* path = std::getenv("INKSTREAM_BENCH_STORE")) {
    return *store::StoreReader::Open(path, {});
  }
  static const testing::ScratchDirectory scratch;
  std::vector<Drawing> drawings(kSynthetic);
  ingest::DrawingGenerator generator(1, ingest::ClassCatalog().size());
  for (uint64_t i = 0; i < kSynthetic; ++i) {
    generator.Generate(i, &drawings[i]);
  }
  auto writer = store::StoreWriter::Create(scratch.File("store"), {});
  if (!writer.ok() || !(*writer)->Append(std::move(drawings)).ok() ||
      !(*writer)->Finish().ok()) {
    std::abort();
  }
  return *store::StoreReader::Open(scratch.File("store"), {});
}

// The port of a page over that store.
int Port() {
  static batch::Engine* const engine = [] {
    batch::EngineOptions options;
    options.batch_memory = kMemory / 4;
    options.view_memory = kMemory / 20;
    auto created = *batch::Engine::Create(options);
    if (!created->AddDataset("quickdraw", OpenStore()).ok()) std::abort();
    return created.release();
  }();
  static ops::HttpServer* const server = [] {
    const auto page =
        Page::Create({engine, "bench", kMemory}, kMemory / 32,
                     [](v1::GetStatusResponse*) { return absl::OkStatus(); });
    auto started = ops::HttpServer::Start(
        "127.0.0.1:0", {},
        {.metrics = [] { return std::string(); },
         .alive = [] { return true; },
         .ready = [] { return std::vector<ops::ReadyCheck>(); },
         .page =
             [page](ops::HttpRequest request, ops::HttpDone done) {
               page->Answer(std::move(request), std::move(done));
             },
         .page_bytes = kMemory / 32});
    if (!started.ok()) std::abort();
    return started->release();
  }();
  return server->port();
}

// Bytes of the answer, which has to be 200.
size_t Get(const std::string& path) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(Port()));
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  if (connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) !=
      0) {
    std::abort();
  }
  const std::string request =
      "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  send(socket, request.data(), request.size(), MSG_NOSIGNAL);
  std::string answer;
  static char bytes[1 << 16];
  for (ssize_t got; (got = recv(socket, bytes, sizeof(bytes), 0)) > 0;) {
    answer.append(bytes, static_cast<size_t>(got));
  }
  close(socket);
  if (answer.rfind("HTTP/1.1 200", 0) != 0) std::abort();
  return answer.size();
}

void BM_Get(benchmark::State& state, const std::string& path) {
  size_t bytes = Get(path);  // the view is found
  for (auto _ : state) bytes = Get(path);
  state.counters["bytes"] = static_cast<double>(bytes);
}

// What the script sends, with each sign of JSON as an address has it.
std::string Asked(std::string json) {
  std::string escaped;
  for (const char sign : json) {
    constexpr char kHex[] = "0123456789ABCDEF";
    const auto byte = static_cast<uint8_t>(sign);
    escaped += '%';
    escaped += kHex[byte >> 4U];
    escaped += kHex[byte & 15U];
  }
  return "?request=" + escaped;
}

BENCHMARK_CAPTURE(BM_Get, file, "/");
BENCHMARK_CAPTURE(BM_Get, drawings_60,
                  "/api/drawings" +
                      Asked(R"({"open": {"order": {"shuffle": "SHUFFLE_NONE"},
                           "delivery": {"batch_size": 60}}, "step": 7})"));
BENCHMARK_CAPTURE(BM_Get, drawings_60_of_a_class,
                  "/api/drawings" +
                      Asked(R"({"open": {"view": {"classes": ["cat"]},
                           "delivery": {"batch_size": 60}}, "step": 7})"));
BENCHMARK_CAPTURE(BM_Get, drawing,
                  "/api/drawing" + Asked(R"({"index": 4711})"));
BENCHMARK_CAPTURE(BM_Get, pixels_8_copies_64x64,
                  "/api/pixels" +
                      Asked(R"({"index": [4711], "delivery": {"views": 8,
                  "augment": {"rotation": {"low": -20, "high": 20}},
                  "image": {"height": 64}}})"));

}  // namespace
}  // namespace inkstream::page

BENCHMARK_MAIN();
