#include "server/app/flags/target_flag.h"

#include "client/cpp/call/target.h"

namespace inkstream::app {

SecurityOptions TargetFlags::security() const {
  SecurityOptions options;
  options.token_file = token_file;
  if (tls || !files.ca.empty() || !files.cert.empty() || !files.key.empty() ||
      !files.server_name.empty()) {
    options.tls = files;
  }
  return options;
}

void AddTargetFlags(CLI::App* command, TargetFlags* flags) {
  const auto check = [](const std::string& given) {
    return std::string(client::EndpointsOf(given).status().message());
  };
  command
      ->add_option("--target", flags->target,
                   "HOST:PORT, dns:///HOST:PORT or unix:PATH")
      ->check(CLI::Validator(check, ""))
      ->capture_default_str();
  command->add_flag("--tls", flags->tls,
                    "By TLS, trusting the system's authorities");
  const auto file = [command](const char* name, std::string* path,
                              const char* help) {
    return command->add_option(name, *path, help)->type_name("FILE");
  };
  file("--tls-ca", &flags->files.ca,
       "By TLS, trusting those of this file in PEM");
  command
      ->add_option("--tls-server-name", flags->files.server_name,
                   "Name in the server's certificate; left out: the target's")
      ->type_name("NAME");
  // In a container with these in its environment, for the server, its health
  // check proves itself by them.
  CLI::Option* const cert = file("--tls-cert", &flags->files.cert,
                                 "Certificate to prove oneself by, in PEM");
  CLI::Option* const key =
      file("--tls-key", &flags->files.key, "Its key, in PEM");
  cert->needs(key);
  key->needs(cert);
  file("--token-file", &flags->token_file,
       "File with a token of `inkstream token`");
}

}  // namespace inkstream::app
