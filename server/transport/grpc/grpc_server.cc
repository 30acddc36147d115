#include "server/transport/grpc/grpc_server.h"

#include <grpc/grpc.h>
#include <grpcpp/ext/channelz_service_plugin.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/server_posix.h>
#include <inkstream/v1/service.grpc.pb.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/transport/grpc/calls/authenticator.h"
#include "server/transport/grpc/calls/call_interceptor.h"
#include "server/transport/grpc/grpc_buffer_pool.h"
#include "server/transport/grpc/methods/drawing_service.h"
#include "server/transport/grpc/methods/health_service.h"
#include "server/transport/grpc/methods/status_handler.h"
#include "server/transport/grpc/server_context.h"
#include "server/transport/grpc/tls_credentials.h"
#include "server/transport/listener/accept_loop.h"
#include "server/transport/listener/listening_socket.h"
#include "server/transport/malloc_trim.h"
#include "server/transport/read_permits.h"

namespace inkstream::transport {
namespace {

using Clock = std::chrono::steady_clock;

// When nobody waits for an answer any more, connections are told to end, which
// takes a round trip. A client that makes no call looks at its sockets only
// every five seconds; it is not waited for.
constexpr std::chrono::milliseconds kGoodbye{500};

// What a call may send before it is read: nearly every request is shorter.
constexpr int kLookaheadBytes = 8 << 10;
// With what gRPC keeps of it besides.
constexpr uint64_t kWaitingCallBytes = 48 << 10;
// Of answers that are being sent, where --memory says nothing else.
constexpr size_t kLeastAnswerBytes = 4 << 20;
// For calls that gRPC answers by itself, of reflection and of methods that
// there are not: each holds one for as long as its client likes.
constexpr int kOwnThreads = 64;

// As many requests are read at once as those that wait may have bytes. Calls
// that wait to be read take an eighth of the memory at most.
ReadPermits::Limits LimitsOfReads(const batch::Engine& engine,
                                  const GrpcServerOptions& options) {
  ReadPermits::Limits limits;
  limits.permits =
      std::max<size_t>(limits.permits, engine.options().view_memory / 4 /
                                           options.max_request_bytes);
  if (options.memory_bytes > 0) {
    limits.waiting = std::clamp<size_t>(
        options.memory_bytes / 8 / kWaitingCallBytes, 256, limits.waiting);
  }
  limits.longest = options.stall;
  return limits;
}

size_t MostAnswerBytes(const GrpcServerOptions& options) {
  return std::max<size_t>(options.memory_bytes / 16, kLeastAnswerBytes);
}

class RunningServer : public GrpcServer {
 public:
  RunningServer(batch::Engine* engine, const GrpcServerOptions& options)
      : memory_(engine->Arbitrate(
            std::make_shared<GrpcBufferPool>(engine->options().batch_memory))),
        connections_(options.connections),
        open_calls_(options.max_calls),
        health_(
            engine->datasets(), [this] { return alive(); }, &authenticator_),
        streams_(options.stall, options.rebalance, options.observer),
        security_(options.security),
        authenticator_(security_, &connections_),
        reads_(LimitsOfReads(*engine, options)),
        answers_(MostAnswerBytes(options)),
        context_{
            {engine, options.version, options.memory_bytes,
             options.max_streams_per_connection, options.max_request_bytes},
            engine,
            memory_,
            &streams_,
            calls_,
            &authenticator_,
            &open_calls_,
            &reads_,
            &answers_},
        drawings_(context_) {
    if (security_ != nullptr) {
      security_->OnTokensChanged([this] { authenticator_.EndRevoked(); });
    }
    // Before the streams: who waits for memory is told so, with the sum.
    streams_.AlsoWatch([this](auto since) {
      memory_->EndWaits(since);
      open_calls_.EndIfStalled(since);
      malloc_trim_.Look();
      health_.Look();
    });
  }

  ~RunningServer() override {
    if (security_ != nullptr) security_->OnTokensChanged(nullptr);
    Shutdown({});
  }

  absl::Status Listen(const GrpcServerOptions& options);

  const std::vector<std::string>& addresses() const override {
    return addresses_;
  }

  bool alive() const override {
    return accept_loop_ == nullptr || accept_loop_->alive();
  }

  ServiceFigures Figures() const override {
    ServerSnapshot snapshot =
        TakeSnapshot(*context_.engine, {memory_->budget(), memory_->in_use()},
                     streams_, context_.started);
    snapshot.connections = connections_.counts();
    ServiceFigures figures =
        TakeFigures(*context_.engine, std::move(snapshot), streams_);
    if (security_ != nullptr) figures.security = security_->figures();
    return figures;
  }

  absl::Status GetStatus(v1::GetStatusResponse* response) const override {
    return transport::GetStatus(context_, Access(), v1::GetStatusRequest(),
                                response);
  }

  void SetServing(const std::string& dataset, bool serving) override {
    health_.SetServing(dataset, serving);
  }

  void Adjust(const ConnectionLimits& connections,
              std::chrono::milliseconds stall,
              std::chrono::milliseconds rebalance) override {
    connections_.SetLimits(connections);
    streams_.SetTimes(stall, rebalance);
    reads_.SetLongest(stall);
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
    accept_loop_->End();
    server_->Shutdown(std::chrono::system_clock::now() +
                      std::clamp<Clock::duration>(deadline - Clock::now(),
                                                  Clock::duration::zero(),
                                                  kGoodbye));
    server_->Wait();
    server_.reset();
  }

 private:
  // Over to gRPC, which then owns `fd`.
  void HandOver(int fd, const Peer& peer);

  const std::shared_ptr<batch::MemoryArbiter> memory_;
  MallocTrim malloc_trim_;
  ConnectionTable connections_;
  OpenCalls open_calls_;
  HealthService health_;
  StreamRegistry streams_;         // its thread looks at all above
  SecurityFiles* const security_;  // may be null
  Authenticator authenticator_;
  ReadPermits reads_;
  AnswerBytes answers_;
  const std::shared_ptr<CallsInFlight> calls_ =
      std::make_shared<CallsInFlight>();
  const ServerContext context_;
  DrawingService drawings_;
  std::vector<std::string> addresses_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor_;
  std::unique_ptr<AcceptLoop> accept_loop_;
};

void SetUp(const GrpcServerOptions& options, grpc::ServerBuilder* builder) {
  builder->SetMaxReceiveMessageSize(
      static_cast<int>(options.max_request_bytes));
  // gRPC unpacks before it looks at the size: 200 KB come to 200 MB.
  for (const grpc_compression_algorithm algorithm :
       {GRPC_COMPRESS_DEFLATE, GRPC_COMPRESS_GZIP}) {
    builder->SetCompressionAlgorithmSupportStatus(algorithm, false);
  }
  grpc::ResourceQuota quota;
  quota.SetMaxThreads(kOwnThreads);
  builder->SetResourceQuota(quota);
  // Each has threads that wait, out of those.
  builder->SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES,
                              kLookaheadBytes);
  // It would widen that to a megabyte.
  builder->AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder->AddChannelArgument(
      GRPC_ARG_MAX_CONCURRENT_STREAMS,
      static_cast<int>(options.max_streams_per_connection));
  builder->AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
                              static_cast<int>(options.handshake.count()));
  builder->AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS,
                              static_cast<int>(options.idle.count()));
  builder->AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, options.channelz);
  // A network that has gone is noticed only by pings, from both sides.
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(
      GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5'000);
}

bool Encrypts(const GrpcServerOptions& options) {
  return options.security != nullptr && options.security->encrypts();
}

bool AsksForTokens(const GrpcServerOptions& options) {
  return options.security != nullptr && options.security->asks_for_tokens();
}

bool MayLeaveTheHost(const GrpcServerOptions& options) {
  return Encrypts(options) ||
         (options.insecure_network && !AsksForTokens(options));
}

// Why an address is not listened on, and what to give instead.
absl::Status WithTheWayOut(const absl::Status& status,
                           const GrpcServerOptions& options) {
  if (!absl::IsPermissionDenied(status)) return status;
  return absl::InvalidArgumentError(absl::StrCat(
      status.message(),
      AsksForTokens(options)
          ? "; with --tokens it must be --tls-cert and --tls-key, since "
            "everybody on the way could take a token from plaintext"
          : "; --tls-cert and --tls-key encrypt it"));
}

absl::Status RunningServer::Listen(const GrpcServerOptions& options) {
  std::vector<ListeningSocket> listeners;
  for (const std::string& text : options.listen) {
    absl::StatusOr<std::vector<ListeningSocket>> opened =
        ListeningSocket::OnAddress(text, MayLeaveTheHost(options));
    if (!opened.ok()) return WithTheWayOut(opened.status(), options);
    addresses_.push_back(absl::StrCat(text.substr(0, text.rfind(':')), ":",
                                      opened->front().port()));
    for (ListeningSocket& one : *opened) listeners.push_back(std::move(one));
  }
  if (!options.unix_path.empty()) {
    absl::StatusOr<ListeningSocket> opened =
        ListeningSocket::OnPath(options.unix_path, options.unix_access);
    if (!opened.ok()) return opened.status();
    listeners.push_back(*std::move(opened));
  }
  grpc::ServerBuilder builder;
  SetUp(options, &builder);
  builder.RegisterService(&drawings_);
  builder.RegisterService(&health_);
  std::vector<
      std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>>
      interceptors;
  interceptors.push_back(
      InterceptCalls({&connections_, &open_calls_, &authenticator_,
                      streams_.counts(), options.observer}));
  builder.experimental().SetInterceptorCreators(std::move(interceptors));
  acceptor_ = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      Encrypts(options) ? TlsCredentials(options.security)
                        : grpc::InsecureServerCredentials());
  absl::StatusOr<std::unique_ptr<AcceptLoop>> loop = AcceptLoop::Create(
      std::move(listeners), {.what = "gRPC", .silence = options.handshake},
      &connections_, [this](int fd, const Peer& peer) { HandOver(fd, peer); });
  if (!loop.ok()) return loop.status();
  accept_loop_ = *std::move(loop);
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) return absl::InternalError("gRPC does not start");
  accept_loop_->Begin();
  return absl::OkStatus();
}

void RunningServer::HandOver(int fd, const Peer& peer) {
  if (peer.is_unix) {
    // All clients of a Unix socket have the same address. Handed over like
    // this, a connection is called after its descriptor, so that calls can be
    // told apart by users.
    connections_.HandOver(fd, absl::StrCat("fd:", fd));
    grpc::AddInsecureChannelFromFd(server_.get(), fd);
    return;
  }
  connections_.HandOver(fd, peer.name);
  grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters
      connection;
  connection.fd = fd;
  acceptor_->HandleNewConnection(&connection);
}

}  // namespace

absl::Status GrpcServer::CheckAddresses(const GrpcServerOptions& options) {
  for (const std::string& text : options.listen) {
    const absl::Status status =
        ListeningSocket::PlacesOf(text, MayLeaveTheHost(options)).status();
    if (!status.ok()) return WithTheWayOut(status, options);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(
    batch::Engine* engine, const GrpcServerOptions& options) {
  // Both take effect for all servers that are built later.
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  if (options.channelz) grpc::channelz::experimental::InitChannelzService();
  auto server = std::make_unique<RunningServer>(engine, options);
  absl::Status listening = server->Listen(options);
  if (!listening.ok()) return listening;
  return server;
}

}  // namespace inkstream::transport
