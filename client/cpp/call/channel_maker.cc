#include "client/cpp/call/channel_maker.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/support/client_interceptor.h>

#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cpp/call/channel_arguments.h"
#include "client/cpp/call/target.h"
#include "server/transport/security/secret_file.h"

namespace inkstream::client {

class TokenSource {
 public:
  static absl::StatusOr<std::shared_ptr<TokenSource>> Create(
      const std::string& token, const std::string& file) {
    auto source = std::make_shared<TokenSource>();
    source->file_ = file;
    source->token_ = token;
    absl::Status status =
        file.empty() ? CheckToken("token", token) : source->Read();
    if (!status.ok()) return status;
    return source;
  }

  std::string Get() {
    const std::lock_guard<std::mutex> lock(mutex_);
    // One that is no good any more: what it was before is tried, and the server
    // has the word.
    if (!file_.empty() && transport::IdentityOfFile(file_) != identity_) {
      Read().IgnoreError();
    }
    return token_;
  }

 private:
  static absl::Status CheckToken(const std::string& where,
                                 absl::string_view token) {
    for (const char c : token) {
      if (!absl::ascii_isgraph(static_cast<unsigned char>(c))) {
        return absl::InvalidArgumentError(
            absl::StrCat(where, ": has letters that no token has"));
      }
    }
    return token.empty() ? absl::InvalidArgumentError(
                               absl::StrCat(where, ": there is no token"))
                         : absl::OkStatus();
  }

  // With mutex_ held, where others have it too.
  absl::Status Read() {
    identity_ = transport::IdentityOfFile(file_);
    absl::StatusOr<std::string> text = transport::ReadSecretFile(file_);
    if (!text.ok()) return text.status();
    const absl::string_view token = absl::StripAsciiWhitespace(*text);
    absl::Status status = CheckToken(file_, token);
    if (status.ok()) token_ = std::string(token);
    return status;
  }

  std::string file_;  // "": the token stays
  std::mutex mutex_;  // guards everything below
  std::string token_;
  transport::FileIdentity identity_;
};

namespace {

using grpc::experimental::ClientInterceptorFactoryInterface;
using grpc::experimental::ClientRpcInfo;
using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::InterceptorBatchMethods;

// gRPC's own call credentials are for channels with TLS only.
class TokenAdder : public grpc::experimental::Interceptor {
 public:
  explicit TokenAdder(std::shared_ptr<TokenSource> token)
      : token_(std::move(token)) {}

  void Intercept(InterceptorBatchMethods* step) override {
    if (step->QueryInterceptionHookPoint(
            InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      step->GetSendInitialMetadata()->emplace(
          "authorization", absl::StrCat("Bearer ", token_->Get()));
    }
    step->Proceed();
  }

 private:
  const std::shared_ptr<TokenSource> token_;
};

class TokenAdders : public ClientInterceptorFactoryInterface {
 public:
  explicit TokenAdders(std::shared_ptr<TokenSource> token)
      : token_(std::move(token)) {}

  grpc::experimental::Interceptor* CreateClientInterceptor(
      ClientRpcInfo* /*call*/) override {
    return new TokenAdder(token_);
  }

 private:
  const std::shared_ptr<TokenSource> token_;
};

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> ReadCredentials(
    const TlsOptions& tls) {
  grpc::SslCredentialsOptions files;
  for (const auto& [path, text] : {std::pair(&tls.ca, &files.pem_root_certs),
                                   {&tls.cert, &files.pem_cert_chain},
                                   {&tls.key, &files.pem_private_key}}) {
    if (path->empty()) continue;
    absl::StatusOr<std::string> read = transport::ReadSecretFile(*path);
    if (!read.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("tls: ", read.status().message()));
    }
    *text = *std::move(read);
  }
  return grpc::SslCredentials(files);
}

}  // namespace

absl::StatusOr<std::shared_ptr<const ChannelMaker>> ChannelMaker::Create(
    const SecurityOptions& options, uint32_t max_message_bytes) {
  if (!options.token.empty() && !options.token_file.empty()) {
    return absl::InvalidArgumentError(
        "token and token_file are both set; give one of them");
  }
  if (options.tls.has_value() &&
      options.tls->cert.empty() != options.tls->key.empty()) {
    return absl::InvalidArgumentError(
        "tls: a certificate and its key go together; one of them is not set");
  }
  std::shared_ptr<TokenSource> token;
  if (!options.token.empty() || !options.token_file.empty()) {
    auto source = TokenSource::Create(options.token, options.token_file);
    if (!source.ok()) {
      return absl::InvalidArgumentError(source.status().message());
    }
    token = *std::move(source);
  }
  std::shared_ptr<ChannelMaker> maker(
      new ChannelMaker(options, max_message_bytes, std::move(token)));
  if (options.tls.has_value()) {
    auto credentials = ReadCredentials(*options.tls);
    if (!credentials.ok()) return credentials.status();
    const std::lock_guard<std::mutex> lock(maker->mutex_);
    maker->last_read_ = *std::move(credentials);
  }
  return maker;
}

absl::Status ChannelMaker::Check(const std::string& target) const {
  if (token_ == nullptr || options_.tls.has_value() || IsLoopback(target)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("the token would go to ", target,
                   " in plaintext, for everybody on the way to take: set tls"));
}

std::shared_ptr<grpc::ChannelCredentials> ChannelMaker::Credentials() const {
  if (!options_.tls.has_value()) return grpc::InsecureChannelCredentials();
  auto credentials = ReadCredentials(*options_.tls);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (credentials.ok()) last_read_ = *std::move(credentials);
  return last_read_;
}

std::shared_ptr<grpc::Channel> ChannelMaker::Make(
    const std::string& target) const {
  grpc::ChannelArguments arguments =
      ChannelArgumentsFor(target, max_message_bytes_);
  if (options_.tls.has_value() && !options_.tls->server_name.empty()) {
    arguments.SetSslTargetNameOverride(options_.tls->server_name);
  }
  std::vector<std::unique_ptr<ClientInterceptorFactoryInterface>> interceptors;
  if (token_ != nullptr) {
    interceptors.push_back(std::make_unique<TokenAdders>(token_));
  }
  // What goes over a Unix socket stays within the kernel.
  return grpc::experimental::CreateCustomChannelWithInterceptors(
      target,
      absl::StartsWith(target, "unix") ? grpc::InsecureChannelCredentials()
                                       : Credentials(),
      arguments, std::move(interceptors));
}

}  // namespace inkstream::client
