#include "server/transport/grpc/grpc_server.h"

#include <grpc/grpc.h>
#include <grpcpp/ext/channelz_service_plugin.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/transport/grpc/answer_interceptor.h"
#include "server/transport/grpc/drawing_service.h"
#include "server/transport/grpc/health_service.h"
#include "server/transport/grpc/listen_address.h"
#include "server/transport/grpc/loopback_listeners.h"
#include "server/transport/grpc/server_context.h"
#include "server/transport/shm/shm_host.h"
#include "server/transport/socket_file.h"

namespace inkstream::transport {
namespace {

using Clock = std::chrono::steady_clock;

// When nobody waits for an answer any more, connections are told to end, which
// takes a round trip. A client that makes no call looks at its sockets only
// every five seconds; it is not waited for.
constexpr std::chrono::milliseconds kGoodbye{500};

std::vector<std::string> HealthNames(const batch::Engine& engine) {
  std::vector<std::string> names = engine.datasets();
  names.push_back("");
  names.push_back(v1::DrawingService::service_full_name());
  return names;
}

class RunningServer : public GrpcServer {
 public:
  RunningServer(batch::Engine* engine, const GrpcServerOptions& options,
                std::unique_ptr<ShmHost> shm)
      : pool_(engine->options().batch_memory),
        shm_(std::move(shm)),
        streams_(options.stall, options.rebalance, options.observer),
        context_{engine,
                 &pool_,
                 &streams_,
                 calls_,
                 shm_.get(),
                 options.unix_path,
                 options.version,
                 options.memory_bytes,
                 options.max_streams_per_connection,
                 options.max_request_bytes},
        drawings_(context_),
        health_(HealthNames(*engine)) {}

  ~RunningServer() override { Shutdown({}); }

  absl::Status Listen(const GrpcServerOptions& options);

  const std::vector<std::string>& addresses() const override {
    return addresses_;
  }

  ServiceFigures Figures() const override {
    BudgetUse shm;
    if (shm_ != nullptr) shm = {shm_->budget(), shm_->in_use()};
    return TakeFigures(
        *context_.engine,
        TakeSnapshot(*context_.engine, {pool_.budget(), pool_.in_use()},
                     streams_, context_.started),
        streams_, shm);
  }

  void Shutdown(const DrainTimes& times) override {
    if (server_ == nullptr) return;
    const Clock::time_point start = Clock::now();
    const Clock::time_point deadline = start + times.all();
    health_.StopServing();
    streams_.Leave();
    streams_.WaitUntilEmpty(start + times.delay);
    streams_.Drain(times.spread);
    streams_.WaitUntilEmpty(deadline);
    calls_->WaitUntilNone(deadline);
    health_.EndWatches();
    server_->Shutdown(std::chrono::system_clock::now() +
                      std::clamp<Clock::duration>(deadline - Clock::now(),
                                                  Clock::duration::zero(),
                                                  kGoodbye));
    server_->Wait();
    server_.reset();
  }

 private:
  GrpcBufferPool pool_;
  const std::unique_ptr<ShmHost> shm_;  // may be null
  StreamRegistry streams_;
  const std::shared_ptr<CallsInFlight> calls_ =
      std::make_shared<CallsInFlight>();
  const ServerContext context_;
  DrawingService drawings_;
  HealthService health_;
  std::vector<std::string> addresses_;
  std::unique_ptr<grpc::Server> server_;
};

void SetUp(const GrpcServerOptions& options, grpc::ServerBuilder* builder) {
  builder->SetMaxReceiveMessageSize(
      static_cast<int>(options.max_request_bytes));
  builder->AddChannelArgument(
      GRPC_ARG_MAX_CONCURRENT_STREAMS,
      static_cast<int>(options.max_streams_per_connection));
  // Two servers on one port would share its clients without a word.
  builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // A network that has gone is noticed only by pings, from both sides.
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(
      GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5'000);
}

absl::Status RunningServer::Listen(const GrpcServerOptions& options) {
  std::vector<ListenAddress> addresses;
  for (const std::string& text : options.listen) {
    absl::StatusOr<ListenAddress> address = ParseListenAddress(text);
    if (!address.ok()) return address.status();
    if (!IsLoopback(*address) && !options.insecure_network) {
      return absl::InvalidArgumentError(absl::StrCat(
          text,
          " can be reached from the network, and the connection would "
          "be neither encrypted nor authenticated: give "
          "--insecure-network if that is meant, or listen on "
          "127.0.0.1"));
    }
    addresses.push_back(*std::move(address));
  }
  grpc::ServerBuilder builder;
  SetUp(options, &builder);
  std::vector<
      std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>>
      interceptors;
  interceptors.push_back(
      NewAnswerInterceptors(streams_.counts(), options.observer));
  builder.experimental().SetInterceptorCreators(std::move(interceptors));
  std::vector<int> ports(addresses.size(), 0);
  for (size_t i = 0; i < addresses.size(); ++i) {
    builder.AddListeningPort(
        absl::StrCat(addresses[i].host, ":", addresses[i].port),
        grpc::InsecureServerCredentials(), &ports[i]);
  }
  int unix_port = 1;
  if (!options.unix_path.empty()) {
    absl::Status free = ClearSocketFile(options.unix_path);
    if (!free.ok()) return free;
    unix_port = 0;
    builder.AddListeningPort(absl::StrCat("unix:", options.unix_path),
                             grpc::InsecureServerCredentials(), &unix_port);
  }
  builder.RegisterService(&drawings_);
  builder.RegisterService(&health_);
  server_ = builder.BuildAndStart();
  for (size_t i = 0; i < addresses.size(); ++i) {
    if (ports[i] == 0) {
      return absl::UnavailableError(
          absl::StrCat("cannot listen on ", options.listen[i],
                       ": the port is taken or the address is not this "
                       "machine's; give another one, or port 0"));
    }
    addresses_.push_back(absl::StrCat(addresses[i].host, ":", ports[i]));
  }
  if (unix_port == 0 || server_ == nullptr) {
    return absl::UnavailableError(absl::StrCat(
        "cannot listen on the Unix socket ", options.unix_path,
        ": does its directory exist, and may this user write to it?"));
  }
  StopPacingLoopback(ports);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(
    batch::Engine* engine, const GrpcServerOptions& options) {
  // Both take effect for servers that are built later.
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::channelz::experimental::InitChannelzService();
  std::unique_ptr<ShmHost> shm;
  if (!options.unix_path.empty() && options.shm_bytes > 0) {
    auto started =
        ShmHost::Start(absl::StrCat(options.unix_path, kSocketSuffix),
                       options.shm_bytes, engine->options().limits.max_credits);
    if (!started.ok()) return started.status();
    shm = *std::move(started);
  }
  auto server =
      std::make_unique<RunningServer>(engine, options, std::move(shm));
  absl::Status listening = server->Listen(options);
  if (!listening.ok()) return listening;
  return server;
}

}  // namespace inkstream::transport
