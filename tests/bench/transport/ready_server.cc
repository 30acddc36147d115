// Serves ready batches: ready_server SOCKET [STORE], until it is told to stop.
//
// The transport is the real one; what it sends costs nothing (ready_engine.h).
// It says where it listens as `inkstream serve` does. STORE left out: drawings
// made up in memory.

#include <csignal>
#include <iostream>
#include <memory>

#include "absl/status/status.h"
#include "server/store/store_reader.h"
#include "server/transport/grpc/grpc_server.h"
#include "tests/bench/transport/ready_engine.h"
#include "tests/support/fake_store.h"

namespace inkstream {
namespace {

int Serve(const char* socket, const char* path) {
  std::shared_ptr<const store::StoreReader> store =
      std::make_shared<testing::FakeStore>(20'000);
  if (path != nullptr) {
    auto opened = store::StoreReader::Open(path, {});
    if (!opened.ok()) {
      std::cerr << opened.status() << "\n";
      return 1;
    }
    store = *std::move(opened);
  }
  bench::ReadyEngine engine;
  transport::GrpcServerOptions options;
  options.listen = {"127.0.0.1:0"};
  options.unix_path = socket;
  options.version = "ready";
  absl::Status added = engine.AddDataset("ready", std::move(store));
  if (!added.ok()) {
    std::cerr << added << "\n";
    return 1;
  }
  const auto server = transport::GrpcServer::Start(&engine, options);
  if (!server.ok()) {
    std::cerr << server.status() << "\n";
    return 1;
  }
  std::cout << "inkstream ready grpc=" << (*server)->addresses().front()
            << " unix=" << socket << std::endl;
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  int signal = 0;
  sigwait(&ends, &signal);
  (*server)->Shutdown({std::chrono::seconds(1)});
  return 0;
}

}  // namespace
}  // namespace inkstream

int main(int argc, char** argv) {
  // Before any thread is started, so that all of them leave it to sigwait().
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  sigprocmask(SIG_BLOCK, &ends, nullptr);
  if (argc < 2 || argc > 3) {
    std::cerr << "ready_server SOCKET [STORE]\n";
    return 2;
  }
  return inkstream::Serve(argv[1], argc == 3 ? argv[2] : nullptr);
}
