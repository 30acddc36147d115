// The C++ client under test: one command a line on standard input, one answer a
// line on standard output. README.md has the words.

#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "inkstream/client.h"
#include "server/base/json.h"
#include "tests/conformance/clients/answers.h"
#include "tests/conformance/clients/requests.h"

namespace inkstream::conformance {
namespace {

std::string TextIn(const Json& command, const char* name) {
  return command.value(name, "");
}

uint64_t NumberIn(const Json& command, const char* name) {
  return command.value(name, uint64_t{0});
}

class CppClient {
 public:
  // Writes the answer, or says what went wrong.
  absl::Status Do(const Json& command, Json* to) {
    const std::string what = TextIn(command, "do");
    if (what == "connect") return Connect(command, to);
    if (what == "open") return Open(command, to);
    if (what == "next") return Next(command, to);
    if (what == "state") return State(command, to);
    if (what == "seek") return Seek(command, to);
    if (what == "stats") return Stats(command, to);
    if (what == "close") return Close(command, to);
    if (what == "describe") return Describe(command, to);
    if (what == "fetch") return Fetch(command, to);
    if (what == "plan") return Explain(command, to);
    if (what == "keys") return Keys(command, to);
    if (what == "weights") return Weights(command, to);
    return absl::UnimplementedError(absl::StrCat("no command '", what, "'"));
  }

 private:
  // A client, and the content that its plans are pinned to.
  struct Connection {
    std::shared_ptr<Client> client;
    DatasetInfo data;
  };
  struct Opened {
    Connection* connection = nullptr;
    Plan plan;
    std::unique_ptr<Stream> stream;
  };

  absl::Status Connect(const Json& command, Json* to) {
    const auto targets = command.value("targets", std::vector<std::string>());
    absl::StatusOr<ClientOptions> options = OptionsOf(command);
    if (!options.ok()) return options.status();
    auto client = Client::Connect(targets, *options);
    if (!client.ok()) return client.status();
    auto data = (*client)->Describe(TextIn(command, "dataset"), {},
                                    TextIn(command, "fingerprint"));
    if (!data.ok()) return data.status();
    *to = JsonOf(*data);
    connections_[TextIn(command, "as")] = {*std::move(client),
                                           *std::move(data)};
    return absl::OkStatus();
  }

  absl::StatusOr<Connection*> On(const Json& command) {
    const auto found = connections_.find(TextIn(command, "on"));
    if (found == connections_.end()) {
      return absl::FailedPreconditionError("the suite: connect first");
    }
    return &found->second;
  }

  absl::StatusOr<Plan> PinnedPlan(const Json& command,
                                  const Connection& connection) {
    absl::StatusOr<Plan> plan = PlanOf(command);
    if (!plan.ok()) return plan;
    plan->dataset = connection.data.dataset;
    plan->fingerprint = connection.data.fingerprint;
    if (plan->start.has_value()) {
      plan->order.seed = plan->start->seed;
      if (!plan->start->fingerprint.empty()) {
        plan->fingerprint = plan->start->fingerprint;
      }
    }
    return plan;
  }

  absl::Status Open(const Json& command, Json* to) {
    const absl::StatusOr<Connection*> connection = On(command);
    if (!connection.ok()) return connection.status();
    absl::StatusOr<Plan> plan = PinnedPlan(command, **connection);
    if (!plan.ok()) return plan.status();
    auto stream = (*connection)->client->Stream(*plan);
    if (!stream.ok()) return stream.status();
    *to = JsonOf((*stream)->info());
    streams_[TextIn(command, "as")] = {*connection, *std::move(plan),
                                       *std::move(stream)};
    return absl::OkStatus();
  }

  absl::StatusOr<Opened*> Of(const Json& command) {
    const auto found = streams_.find(TextIn(command, "stream"));
    if (found == streams_.end()) {
      return absl::FailedPreconditionError("the suite: open first");
    }
    return &found->second;
  }

  absl::Status Next(const Json& command, Json* to) {
    const absl::StatusOr<Opened*> opened = Of(command);
    if (!opened.ok()) return opened.status();
    Json batches = Json::array();
    bool ended = false;
    for (uint64_t left = NumberIn(command, "count"); left > 0 && !ended;
         --left) {
      absl::StatusOr<std::optional<Batch>> batch = (*opened)->stream->Next();
      if (!batch.ok()) return batch.status();
      ended = !batch->has_value();
      if (!ended) batches.push_back(JsonOf(**batch));
    }
    *to = Json{{"batches", std::move(batches)}, {"end", ended}};
    return absl::OkStatus();
  }

  absl::Status State(const Json& command, Json* to) {
    const absl::StatusOr<Opened*> opened = Of(command);
    if (!opened.ok()) return opened.status();
    *to = JsonOf((*opened)->stream->cursor());
    return absl::OkStatus();
  }

  // A C++ stream does not move: another one is opened at the edited cursor.
  absl::Status Seek(const Json& command, Json* to) {
    const absl::StatusOr<Opened*> opened = Of(command);
    if (!opened.ok()) return opened.status();
    Plan& plan = (*opened)->plan;
    Cursor cursor = (*opened)->stream->cursor();
    cursor.epoch = NumberIn(command, "epoch");
    cursor.position = NumberIn(command, "position") +
                      NumberIn(command, "step") * plan.delivery.world *
                          plan.delivery.batch_size;
    plan.start = cursor;
    (*opened)->stream.reset();
    auto stream = (*opened)->connection->client->Stream(plan);
    if (!stream.ok()) return stream.status();
    (*opened)->stream = *std::move(stream);
    *to = JsonOf((*opened)->stream->cursor());
    return absl::OkStatus();
  }

  absl::Status Stats(const Json& command, Json* to) {
    const absl::StatusOr<Opened*> opened = Of(command);
    if (!opened.ok()) return opened.status();
    *to = JsonOf((*opened)->stream->stats());
    return absl::OkStatus();
  }

  absl::Status Close(const Json& command, Json* to) {
    streams_.erase(TextIn(command, "stream"));
    connections_.erase(TextIn(command, "on"));
    *to = Json::object();
    return absl::OkStatus();
  }

  absl::Status Describe(const Json& command, Json* to) {
    const absl::StatusOr<Connection*> connection = On(command);
    if (!connection.ok()) return connection.status();
    const absl::StatusOr<View> view = ViewOf(command);
    if (!view.ok()) return view.status();
    auto data = (*connection)
                    ->client->Describe(TextIn(command, "dataset"), *view,
                                       (*connection)->data.fingerprint);
    if (!data.ok()) return data.status();
    *to = JsonOf(*data);
    return absl::OkStatus();
  }

  absl::Status Fetch(const Json& command, Json* to) {
    const absl::StatusOr<Connection*> connection = On(command);
    if (!connection.ok()) return connection.status();
    absl::StatusOr<FetchRequest> request = FetchOf(command);
    if (!request.ok()) return request.status();
    request->dataset = (*connection)->data.dataset;
    request->fingerprint = (*connection)->data.fingerprint;
    auto batch = (*connection)->client->Fetch(*request);
    if (!batch.ok()) return batch.status();
    *to = JsonOf(*batch);
    return absl::OkStatus();
  }

  absl::Status Explain(const Json& command, Json* to) {
    const absl::StatusOr<Connection*> connection = On(command);
    if (!connection.ok()) return connection.status();
    absl::StatusOr<Plan> plan = PinnedPlan(command, **connection);
    if (!plan.ok()) return plan.status();
    StepQuery query;
    query.epoch = NumberIn(command, "epoch");
    query.first = NumberIn(command, "first");
    query.count = static_cast<uint32_t>(NumberIn(command, "count"));
    query.all_ranks = command.value("all_ranks", false);
    auto report = (*connection)->client->Explain(*plan, query);
    if (!report.ok()) return report.status();
    *to = JsonOf(*report);
    return absl::OkStatus();
  }

  absl::Status Keys(const Json& command, Json* to) {
    const absl::StatusOr<Connection*> connection = On(command);
    if (!connection.ok()) return connection.status();
    return Uploaded(
        (*connection)
            ->client->UploadKeys(command.value("keys", std::vector<int64_t>())),
        to);
  }

  absl::Status Weights(const Json& command, Json* to) {
    const absl::StatusOr<Connection*> connection = On(command);
    if (!connection.ok()) return connection.status();
    DrawingWeights set;
    set.keys = command.value("keys", set.keys);
    set.indices = command.value("indices", set.indices);
    set.weights = command.value("weights", set.weights);
    return Uploaded((*connection)->client->UploadWeights(std::move(set)), to);
  }

  static absl::Status Uploaded(const absl::StatusOr<UploadedKeys>& uploaded,
                               Json* to) {
    if (!uploaded.ok()) return uploaded.status();
    *to = Json{{"hash", uploaded->hash}, {"keys", uploaded->keys}};
    return absl::OkStatus();
  }

  std::map<std::string, Connection> connections_;
  std::map<std::string, Opened> streams_;
};

void Serve() {
  CppClient client;
  std::string line;
  while (std::getline(std::cin, line)) {
    const Json command = Json::parse(line);
    Json answer;
    const absl::Status status = client.Do(command, &answer);
    Json said = Json::object();
    if (status.ok()) {
      said["ok"] = std::move(answer);
    } else {
      said["error"] = JsonOf(status);
    }
    std::cout << JsonLine(said) << std::flush;
  }
}

}  // namespace
}  // namespace inkstream::conformance

int main() {
  inkstream::conformance::Serve();
  return 0;
}
