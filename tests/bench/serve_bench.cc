// The way from a store to a client, one workload a room, so that a number
// points at a folder: select (batch: view), store_read, raster, assemble
// (batch), stream_grpc (transport, with a client that throws the bytes away).
//
// Input: INKSTREAM_BENCH_STORE, a store; a fake one in memory without it.
// Rates are drawings a second; stream_grpc gives bytes too.

#include <benchmark/benchmark.h>
#include <grpcpp/grpcpp.h>
#include <inkstream/v1/service.grpc.pb.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "server/batch/engine.h"
#include "server/batch/view/rank_select.h"
#include "server/raster/draw/rasterizer.h"
#include "server/store/store_reader.h"
#include "server/transport/grpc/grpc_server.h"
#include "tests/support/batch_puller.h"
#include "tests/support/fake_store.h"
#include "tests/support/heap_buffer_pool.h"

namespace inkstream {
namespace {

constexpr uint32_t kBatch = 256;

std::shared_ptr<const store::StoreReader> Store() {
  static const auto* const store =
      new std::shared_ptr<const store::StoreReader>([] {
        const char* const path = std::getenv("INKSTREAM_BENCH_STORE");
        if (path == nullptr) {
          return std::shared_ptr<const store::StoreReader>(
              std::make_shared<testing::FakeStore>(100'000));
        }
        auto opened = store::StoreReader::Open(path, {.preload = true});
        if (!opened.ok()) {
          std::cerr << opened.status() << "\n";
          std::exit(1);
        }
        return *std::move(opened);
      }());
  return *store;
}

std::unique_ptr<batch::Engine> NewEngine(int workers) {
  batch::EngineOptions options;
  options.workers = workers;
  options.batch_memory = 512U << 20U;
  std::unique_ptr<batch::Engine> engine = *batch::Engine::Create(options);
  engine->AddDataset("bench", Store()).IgnoreError();
  return engine;
}

void Select(benchmark::State& state) {
  std::vector<uint64_t> words(50'000'000 / 64);
  std::mt19937_64 random(1);
  for (uint64_t& word : words) word = random() | random() | random();
  const batch::RankSelect set(std::move(words));
  uint64_t sum = 0;
  for (auto _ : state) sum += set.Select(random() % set.size());
  benchmark::DoNotOptimize(sum);
  state.SetItemsProcessed(state.iterations());
}

void StoreRead(benchmark::State& state) {
  const auto reader = Store()->NewDrawingReader();
  std::mt19937_64 random(1);
  for (auto _ : state) {
    auto strokes = reader->ReadStrokes(random() % Store()->size());
    if (!strokes.ok()) state.SkipWithError("a record cannot be read");
    benchmark::DoNotOptimize(strokes);
  }
  state.SetItemsProcessed(state.iterations());
}

void Raster(benchmark::State& state) {
  const auto side = static_cast<uint32_t>(state.range(0));
  auto rasterizer = *raster::Rasterizer::Create({side, side});
  const auto reader = Store()->NewDrawingReader();
  std::vector<Drawing> drawings(kBatch);
  for (uint32_t i = 0; i < kBatch; ++i) {
    reader->ReadDrawing(i * 7919 % Store()->size(), &drawings[i]).IgnoreError();
  }
  std::vector<uint8_t> image(rasterizer->image_bytes());
  uint32_t next = 0;
  for (auto _ : state) {
    rasterizer->Draw(drawings[next].strokes(), image.data());
    next = (next + 1) % kBatch;
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations());
}

void Assemble(benchmark::State& state) {
  const auto engine = NewEngine(static_cast<int>(state.range(1)));
  const auto memory =
      engine->Arbitrate(std::make_shared<testing::HeapBufferPool>());
  Plan plan;
  plan.delivery.image.emplace();
  plan.delivery.image->height = plan.delivery.image->width =
      static_cast<uint32_t>(state.range(0));
  plan.delivery.columns = {"label"};
  plan.delivery.batch_size = kBatch;
  plan.delivery.epochs = std::nullopt;
  testing::BatchPuller stream(*engine->OpenStream(plan, memory));
  stream->Grant(8).IgnoreError();
  for (auto _ : state) {
    const batch::TakeResult taken = stream.Wait(std::chrono::seconds(10));
    if (!std::holds_alternative<batch::FinishedBatch>(taken)) {
      state.SkipWithError("no batch");
    }
    stream->Grant(1).IgnoreError();
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}

void StreamGrpc(benchmark::State& state) {
  const auto engine = NewEngine(static_cast<int>(state.range(1)));
  transport::GrpcServerOptions options;
  options.listen = {"127.0.0.1:0"};
  const auto server = *transport::GrpcServer::Start(engine.get(), options);
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(64 << 20);
  const auto channel =
      grpc::CreateCustomChannel(server->addresses().front(),
                                grpc::InsecureChannelCredentials(), arguments);
  const auto stub = v1::DrawingService::NewStub(channel);
  grpc::ClientContext context;
  const auto stream = stub->StreamBatches(&context);
  v1::StreamBatchesRequest request;
  request.set_credits(8);
  v1::Delivery* const delivery = request.mutable_open()->mutable_delivery();
  delivery->mutable_image()->set_height(static_cast<uint32_t>(state.range(0)));
  delivery->set_batch_size(kBatch);
  delivery->set_forever(true);
  delivery->set_max_message_bytes(8U << 20U);
  delivery->add_columns("label");
  stream->Write(request);
  v1::BatchPart part;
  int64_t bytes = 0;
  int ready = 0;
  for (auto _ : state) {
    while (ready == 0) {
      if (!stream->Read(&part)) return state.SkipWithError("the stream ended");
      bytes += static_cast<int64_t>(part.data().size());
      ready = part.batches_size();
      if (ready == 0) continue;
      request.Clear();
      request.set_credits(static_cast<uint32_t>(ready));
      stream->Write(request);
    }
    --ready;
  }
  context.TryCancel();
  state.SetItemsProcessed(state.iterations() * kBatch);
  state.SetBytesProcessed(bytes);
}

BENCHMARK(Select);
BENCHMARK(StoreRead);
BENCHMARK(Raster)->ArgName("side")->Arg(28)->Arg(128);
BENCHMARK(Assemble)
    ->ArgNames({"side", "workers"})
    ->ArgsProduct({{28, 128}, {1, 2}})
    ->UseRealTime();
BENCHMARK(StreamGrpc)
    ->ArgNames({"side", "workers"})
    ->ArgsProduct({{28, 128}, {2}})
    ->UseRealTime();

}  // namespace
}  // namespace inkstream

BENCHMARK_MAIN();
