// `inkstream health`: is a server ready? For container health checks, where
// no other client is at hand.

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "client/cpp/call/channel_maker.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "server/app/commands/commands.h"
#include "server/app/failure.h"
#include "server/app/flags/command_line.h"
#include "server/app/flags/target_flag.h"

namespace inkstream::app {
namespace {

// More than any answer has.
constexpr uint32_t kMessageBytes = 1U << 16U;

struct HealthFlags {
  TargetFlags at;
  std::string service;
  double timeout = 3;  // seconds
};

int RunHealth(const HealthFlags& flags) {
  const auto maker =
      client::ChannelMaker::Create(flags.at.security(), kMessageBytes);
  const absl::Status sound =
      maker.ok() ? (*maker)->Check(flags.at.target) : maker.status();
  if (!sound.ok()) return Fail("health", sound, kExitUsage);
  grpc::ClientContext context;
  context.set_deadline(
      std::chrono::system_clock::now() +
      std::chrono::duration_cast<std::chrono::system_clock::duration>(
          std::chrono::duration<double>(flags.timeout)));
  grpc::health::v1::HealthCheckRequest request;
  request.set_service(flags.service);
  grpc::health::v1::HealthCheckResponse response;
  const grpc::Status status =
      grpc::health::v1::Health::NewStub((*maker)->Make(flags.at.target))
          ->Check(&context, request, &response);
  if (!status.ok()) {
    std::fprintf(stderr, "inkstream health: %s: %s\n", flags.at.target.c_str(),
                 status.error_message().c_str());
    return kExitFailed;
  }
  std::printf("%s\n", grpc::health::v1::HealthCheckResponse::ServingStatus_Name(
                          response.status())
                          .c_str());
  return response.status() == grpc::health::v1::HealthCheckResponse::SERVING
             ? kExitDone
             : kExitFailed;
}

}  // namespace

void AddHealthCommand(CLI::App& app, int* exit_code) {
  auto flags = std::make_shared<HealthFlags>();
  CLI::App* command =
      app.add_subcommand("health", "Asks a server whether it is ready");
  AddTargetFlags(command, &flags->at);
  command->add_option("--service", flags->service,
                      "A dataset's name; left out: the server as a whole, for "
                      "which no token is needed");
  command->add_option("--timeout", flags->timeout, "Seconds to wait at most")
      ->check(CLI::Range(0.001, 3600.0))
      ->capture_default_str();
  command->footer(
      "Prints SERVING and exits 0, or exits 1.\n"
      "Example:\n"
      "  inkstream health --target 127.0.0.1:50051 --service quickdraw\n"
      "  inkstream health --target inkstream:50051 --tls-ca ca.crt");
  command->callback([flags, exit_code] { *exit_code = RunHealth(*flags); });
}

}  // namespace inkstream::app
