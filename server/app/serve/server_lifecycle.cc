#include "server/app/serve/server_lifecycle.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/app/interrupt.h"
#include "server/app/log/last_words.h"
#include "server/app/log/log_limiter.h"
#include "server/app/log/service_log.h"
#include "server/app/serve/descriptor_limit.h"
#include "server/app/serve/end_guard.h"
#include "server/app/serve/generation_watch.h"
#include "server/app/serve/hangup.h"
#include "server/app/serve/http_port.h"
#include "server/app/serve/memory_shares.h"
#include "server/app/serve/scrubber.h"
#include "server/app/serve/served_stores.h"
#include "server/app/serve/service_manager.h"
#include "server/app/serve/service_state.h"
#include "server/batch/engine.h"
#include "server/ops/http_server.h"
#include "server/transport/grpc/grpc_server.h"

namespace inkstream::app {
namespace {

// gRPC's own lines, in the form of all others. What it calls an error is
// mostly one connection's, such as a handshake that failed, and as many as
// anybody likes to make.
void LogForGrpc(gpr_log_func_args* args) {
  if (args->severity != GPR_LOG_SEVERITY_ERROR) {
    return spdlog::debug("grpc: {}", args->message);
  }
  static LogLimiter limiter(20, 1);
  const std::optional<uint64_t> left_out = limiter.Take();
  if (!left_out.has_value()) return;
  spdlog::warn(
      "grpc: {}{}", args->message,
      *left_out > 0 ? absl::StrCat(" (", *left_out, " lines left out)") : "");
}

// What a peer has sent is no error of this process.
void LogForProtobuf(google::protobuf::LogLevel /*level*/, const char* /*file*/,
                    int /*line*/, const std::string& message) {
  spdlog::debug("protobuf: {}", message);
}

// --listen none is for servers that only this machine's users of the Unix
// socket may reach.
absl::StatusOr<std::vector<std::string>> ListenAddresses(
    const ServeOptions& options) {
  const bool none = std::find(options.listen.begin(), options.listen.end(),
                              "none") != options.listen.end();
  if (!none) return options.listen;
  if (options.listen.size() > 1) {
    return absl::InvalidArgumentError(
        "--listen none stands beside other addresses; give one or the other");
  }
  if (options.grpc.unix_path.empty()) {
    return absl::InvalidArgumentError(
        "--listen none leaves nothing to reach the server by; give --unix "
        "PATH too");
  }
  return std::vector<std::string>();
}

// A call of gRPC's takes about so much, whatever it is for.
constexpr uint64_t kBytesOfACall = 32U << 10U;

uint32_t MaxCalls(const MemoryShares& shares, uint32_t streams) {
  return std::min<uint64_t>(streams + shares.calls / kBytesOfACall, 1U << 20U);
}

std::string AddressesOf(const transport::GrpcServer& server,
                        const std::string& http, const ServeOptions& options) {
  std::string line;
  if (!server.addresses().empty()) {
    absl::StrAppend(&line, " grpc=", absl::StrJoin(server.addresses(), ","));
  }
  if (!options.grpc.unix_path.empty()) {
    absl::StrAppend(&line, " unix=", options.grpc.unix_path);
  }
  if (!http.empty()) absl::StrAppend(&line, " http=", http);
  return line;
}

// By a thread of its own: whoever is to read it may not, and signals are obeyed
// all the same.
void SayReady(const std::string& addresses) {
  std::thread([line = absl::StrCat("inkstream ready", addresses, "\n")] {
    absl::string_view rest = line;
    while (!rest.empty()) {
      const ssize_t wrote = write(STDOUT_FILENO, rest.data(), rest.size());
      if (wrote < 0 && errno != EINTR) return;
      if (wrote > 0) rest.remove_prefix(wrote);
    }
  }).detach();
}

struct Prepared {
  MemoryShares shares;
  ForConnections for_connections;
  std::unique_ptr<transport::SecurityFiles> security;
};

// What follows from what was asked for; `options` are filled in. Refuses before
// a socket is opened, and before stores, which may take long to read.
absl::StatusOr<Prepared> Prepare(ServeOptions* options) {
  const absl::StatusOr<MemoryShares> shares = MemorySharesOf(*options);
  if (!shares.ok()) return shares.status();
  const absl::StatusOr<uint64_t> descriptors = RaiseDescriptorLimit();
  if (!descriptors.ok()) return descriptors.status();
  const ForConnections for_connections = {*descriptors, shares->connections,
                                          !options->security.tls.cert.empty()};
  const absl::StatusOr<transport::ConnectionLimits> connections =
      LimitsOfConnections(for_connections, options->max_connections,
                          options->max_connections_per_peer);
  if (!connections.ok()) return connections.status();
  absl::StatusOr<std::unique_ptr<transport::SecurityFiles>> security =
      transport::SecurityFiles::Load(options->security);
  if (!security.ok()) return security.status();
  absl::StatusOr<std::vector<std::string>> listen = ListenAddresses(*options);
  if (!listen.ok()) return listen.status();
  batch::EngineOptions& engine = options->engine;
  engine.batch_memory = shares->batches;
  engine.view_memory = shares->views;
  engine.limits.max_batch_bytes =
      std::min(engine.limits.max_batch_bytes, engine.batch_memory);
  transport::GrpcServerOptions& grpc = options->grpc;
  grpc.listen = *std::move(listen);
  grpc.connections = *connections;
  grpc.max_calls = MaxCalls(*shares, engine.limits.max_streams);
  grpc.security = security->get();
  grpc.memory_bytes = shares->all;
  absl::Status places = transport::GrpcServer::CheckAddresses(grpc);
  if (places.ok()) places = CheckHttp(*options, security->get());
  if (!places.ok()) return places;
  return Prepared{*shares, for_connections, *std::move(security)};
}

transport::DrainTimes DrainTimesOf(const ServeOptions& options) {
  if (Interrupt::signal() == SIGTERM && !options.http.empty()) {
    return options.drain;
  }
  return {.grace = options.drain.grace};
}

}  // namespace

absl::Status CheckServeOptions(ServeOptions options) {
  const absl::Status status = Prepare(&options).status();
  return status.ok() ? CheckStores(options) : status;
}

absl::Status ServeUntilInterrupted(ServeOptions options,
                                   const ReadAgain& read_again) {
  Interrupt::InstallForService();
  InstallLastWords();
  gpr_set_log_function(LogForGrpc);
  google::protobuf::SetLogHandler(LogForProtobuf);
  EndGuard guard;
  // Declared in the order in which they must be there; pages first and last.
  ServiceState state(options.grpc.version);
  ServiceLog log;
  std::string http_address;
  // Before the engine, whose threads answer the page.
  const absl::StatusOr<Prepared> prepared = Prepare(&options);
  if (!prepared.ok()) return prepared.status();
  const auto& [shares, for_connections, security] = *prepared;
  options.grpc.observer = &log;
  absl::StatusOr<std::unique_ptr<batch::Engine>> engine =
      batch::Engine::Create(options.engine);
  if (!engine.ok()) return engine.status();
  std::unique_ptr<transport::GrpcServer> server;
  const absl::StatusOr<std::unique_ptr<ops::HttpServer>> http =
      StartHttp(options, shares, engine->get(), security.get(), &state, &log,
                &http_address);
  if (!http.ok()) return http.status();
  absl::StatusOr<std::vector<GenerationWatch::Served>> served =
      AddStores(options, engine->get(),
                [&state](std::string what) { state.Loading(std::move(what)); });
  if (!served.ok()) return served.status();
  absl::StatusOr<std::unique_ptr<transport::GrpcServer>> started =
      transport::GrpcServer::Start(engine->get(), options.grpc);
  if (!started.ok()) return started.status();
  server = *std::move(started);
  state.Serving(server.get());
  spdlog::info("{} workers, {} MiB of memory, {} MiB of it for batches",
               (*engine)->workers(), shares.all >> 20U, shares.batches >> 20U);
  const std::string addresses = AddressesOf(*server, http_address, options);
  GenerationWatch watch(
      engine->get(), *std::move(served), OpenOptionsOf(options), options.poll,
      [&](const std::string& dataset, const GenerationWatch::State& how) {
        state.SetDataset(dataset, how);
        server->SetServing(dataset, how.lost.empty());
      });
  std::optional<Scrubber> scrubber;
  if (options.scrub > 0) {
    scrubber.emplace(
        engine->get(), options.scrub,
        [&state](const std::string& dataset, const Scrubber::Figures& figures) {
          state.SetScrubbed(dataset, figures);
        });
  }
  ExpectEnd(options, &guard);
  spdlog::info("process {} listens on{}", getpid(), addresses);
  SayReady(addresses);
  const ServiceManager manager([&state] { return state.Alive(); });

  ServeUntilSignalled({&watch, security.get(), engine->get(), server.get(),
                       &guard, &state, for_connections},
                      read_again, &options);
  state.Draining();
  manager.Stopping();
  const transport::DrainTimes times = DrainTimesOf(options);
  spdlog::info(
      "signal {}: not ready; {} streams go on for {} ms, end over {} ms and "
      "have {} ms for the batch in hand",
      Interrupt::signal(), (*engine)->open_streams(), times.delay.count(),
      times.spread.count(), times.grace.count());
  server->Shutdown(times);
  (*engine)->Stop();
  spdlog::info("done");
  return absl::OkStatus();
}

}  // namespace inkstream::app
