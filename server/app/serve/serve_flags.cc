#include "server/app/serve/serve_flags.h"

#include <grp.h>

#include <chrono>
#include <map>

#include "absl/strings/str_cat.h"
#include "server/app/flags/number_flags.h"
#include "server/app/serve/served_stores.h"

namespace inkstream::app {
namespace {

// As in chmod(1).
std::string CheckMode(const std::string& text) {
  const bool octal = !text.empty() && text.size() <= 4 &&
                     text.find_first_not_of("01234567") == std::string::npos;
  if (octal && std::stoul(text, nullptr, 8) <= 0777) return "";
  return "\"" + text + "\" is not a file's mode such as 0660";
}

std::string CheckGroup(const std::string& text) {
  const bool number = !text.empty() && text.size() < 10 &&
                      text.find_first_not_of("0123456789") == std::string::npos;
  if (number || getgrnam(text.c_str()) != nullptr) return "";
  return "this machine has no group \"" + text + "\"; give its number";
}

gid_t GroupOf(const std::string& text) {
  const group* const known = getgrnam(text.c_str());
  return known != nullptr ? known->gr_gid
                          : static_cast<gid_t>(std::stoul(text));
}

// In seconds, or with a unit.
void AddTime(CLI::App* command, const char* name,
             std::chrono::milliseconds* value, double least, double most,
             const char* help) {
  static const auto* const units = new std::map<std::string, double>{
      {"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}};
  const auto set = [value](double seconds) {
    *value = std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000));
  };
  command->add_option_function<double>(name, set, help)
      ->transform(CLI::AsNumberWithUnit(*units))
      ->check(CLI::Range(least, most))
      ->type_name("SECONDS")
      ->default_str(
          absl::StrCat(std::chrono::duration<double>(*value).count()));
}

template <typename Number>
CLI::Option* AddCount(CLI::App* command, const char* name, Number* value,
                      int most, const char* help) {
  return command->add_option(name, *value, help)
      ->check(CLI::Range(1, most))
      ->type_name("N");
}

CLI::Option* AddFile(CLI::App* command, const char* name, std::string* path,
                     const char* help) {
  return command->add_option(name, *path, help)->type_name("FILE");
}

}  // namespace

void AddServeFlags(CLI::App* command, ServeOptions* to) {
  ServeOptions& options = *to;
  command
      ->add_option("--store", options.stores,
                   "Directory made by `inkstream ingest`; served under the "
                   "name it was ingested with, or NAME")
      ->type_name("[NAME=]PATH");
  command
      ->add_option("--listen", options.listen,
                   "Addresses for gRPC; port 0 takes any free one; none: only "
                   "the Unix socket")
      ->type_name("ADDR:PORT")
      ->capture_default_str();
  command
      ->add_option("--generation", options.generations,
                   "What streams of a dataset get that name no generation, "
                   "also when there is a newer one, which is served to those "
                   "who name it; default: the newest")
      ->check(CLI::Validator(CheckGenerationArgument, ""))
      ->type_name("NAME=FINGERPRINT");
  command->add_option("--unix", options.grpc.unix_path, "Unix socket for gRPC")
      ->type_name("PATH");
  command
      ->add_option_function<std::string>(
          "--unix-mode",
          [to](const std::string& octal) {
            to->grpc.unix_access.mode = std::stoul(octal, nullptr, 8);
          },
          "Mode of the socket's file: who may write may connect; "
          "default: what the umask leaves")
      ->check(CLI::Validator(CheckMode, ""))
      ->type_name("OCTAL");
  command
      ->add_option_function<std::string>(
          "--unix-group",
          [to](const std::string& group) {
            to->grpc.unix_access.group = GroupOf(group);
          },
          "Group of that file; default: that of the process")
      ->check(CLI::Validator(CheckGroup, ""))
      ->type_name("GROUP");
  command
      ->add_option("--http", options.http,
                   "Address for a page to look at, /metrics (Prometheus), "
                   "/livez and /readyz; port 0 takes any free one; with "
                   "--tls-cert also by https, beyond loopback the page by "
                   "https only")
      ->type_name("ADDR:PORT");
  transport::SecurityPaths& security = options.security;
  CLI::Option* const cert =
      AddFile(command, "--tls-cert", &security.tls.cert,
              "Encrypts --listen, and the page at --http, by TLS with this "
              "certificate and those above it, in PEM; files are read again "
              "when they change");
  CLI::Option* const key = AddFile(command, "--tls-key", &security.tls.key,
                                   "Its key in PEM, without a passphrase");
  cert->needs(key);
  key->needs(cert);
  AddFile(command, "--tls-client-ca", &security.tls.client_ca,
          "Lets in over TCP whoever has a certificate of these authorities, "
          "and nobody else")
      ->needs(cert);
  AddFile(command, "--tokens", &security.tokens,
          "Asks every call for a token of this file, of lines of `inkstream "
          "token`; read again when it changes");
  command->add_flag(
      "--insecure-network", options.grpc.insecure_network,
      "Allows --listen and --http on addresses other machines can reach, "
      "without encryption");
  command
      ->add_option("--memory", options.memory,
                   "Budget for everything, for example 4GiB; default: 90 % of "
                   "the container's limit or of RAM")
      ->transform(ByteSize())
      ->type_name("BYTES");
  AddCount(command, "--workers,--threads", &options.engine.workers, 1024,
           "Threads that draw; default: as many as the CPU quota");
  AddCount(command, "--max-streams", &options.engine.limits.max_streams,
           1'000'000, "Streams open at once")
      ->capture_default_str();
  AddCount(command, "--max-connections", &options.max_connections, 1'000'000,
           "Connections to gRPC at once; over it one without a call makes "
           "room, or the newcomer is refused; default: 4096, or what half of "
           "the files that may be open and an eighth of --memory are good for "
           "(16 KiB each, 80 by TLS)");
  AddCount(command, "--max-connections-per-peer",
           &options.max_connections_per_peer, 1'000'000,
           "Of them from one address, or one user of the Unix socket; "
           "default: half");
  AddTime(command, "--handshake-timeout", &options.grpc.handshake, 0.05, 3600,
          "Closes a connection that says nothing for this long");
  AddTime(command, "--idle-timeout", &options.grpc.idle, 0.05, 86400,
          "Closes a connection without a call for this long; its client "
          "connects again with its next call");
  command->add_flag("--channelz", options.grpc.channelz,
                    "Offers gRPC's channelz service, which shows every "
                    "connection and call to whoever asks");
  AddTime(command, "--stall", &options.grpc.stall, 0.05, 86400,
          "Ends a stream that could go on and does not for this long");
  AddTime(command, "--drain-delay", &options.drain.delay, 0, 86400,
          "After SIGTERM, time to be not ready and serve as before, until no "
          "new clients are sent here; nothing without streams or --http, and "
          "on SIGINT");
  AddTime(command, "--drain-spread", &options.drain.spread, 0, 86400,
          "Time over which streams then end one by one, so that they do not "
          "come back elsewhere in one moment; likewise");
  AddTime(command, "--grace", &options.drain.grace, 0, 86400,
          "Time to finish batches when streams were told to end");
  AddTime(command, "--rebalance", &options.grpc.rebalance, 0, 7 * 86400,
          "Ends a stream well after this long, give or take a tenth, so that "
          "its client connects anew and finds replicas that were added; 0: "
          "never");
  AddCount(command, "--retain-generations", &options.engine.retain_generations,
           64,
           "Generations of a store that are served, the newest included: "
           "cursors of the older ones go on")
      ->capture_default_str();
  command->add_flag("--preload", options.preload,
                    "Reads the stores once, so that no batch waits for a disk");
  command
      ->add_option("--scrub", options.scrub,
                   "Bytes of the stores that are read again a second, to find "
                   "what a disk has changed since it was read first; 0: none")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/false))
      ->capture_default_str()
      ->type_name("BYTES");
}

}  // namespace inkstream::app
