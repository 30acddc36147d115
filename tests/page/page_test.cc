#include "server/page/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/base/json.h"
#include "server/batch/engine.h"
#include "tests/support/fake_store.h"

namespace inkstream::page {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class PageTest : public ::testing::Test {
 protected:
  PageTest() {
    batch::EngineOptions options;
    options.workers = 2;
    options.batch_memory = 64U << 20U;
    engine_ = *batch::Engine::Create(options);
    store_ = std::make_shared<testing::FakeStore>(1000);
    store_->DrawSketches();
    EXPECT_TRUE(engine_->AddDataset("fake", store_).ok());
    Open(nullptr);
  }

  void Open(Authorize authorize) {
    page_ = Page::Create(
        {engine_.get(), "1.2.3", 1U << 30U}, 8U << 20U,
        [this](v1::GetStatusResponse* response) {
          *response = status_;
          return absl::OkStatus();
        },
        std::move(authorize));
  }

  std::future<ops::HttpAnswer> Begin(ops::HttpRequest request) {
    const auto answer = std::make_shared<std::promise<ops::HttpAnswer>>();
    page_->Answer(std::move(request), [answer](ops::HttpAnswer given) {
      answer->set_value(std::move(given));
    });
    return answer->get_future();
  }

  ops::HttpAnswer Get(const std::string& path, const std::string& message = "",
                      const std::string& authorization = "") {
    ops::HttpRequest request;
    request.path = path;
    if (!message.empty()) request.parameters["request"] = message;
    request.authorization = authorization;
    return Begin(std::move(request)).get();
  }

  Json GetJson(const std::string& path, const std::string& message = "",
               const std::string& authorization = "") {
    const ops::HttpAnswer answer = Get(path, message, authorization);
    EXPECT_EQ(answer.code, 200) << answer.body;
    EXPECT_EQ(answer.type, "application/json");
    return Json::parse(answer.body);
  }

  void ExpectRefused(const std::string& path, const std::string& message,
                     unsigned int code, const std::string& text) {
    const ops::HttpAnswer answer = Get(path, message);
    EXPECT_EQ(answer.code, code) << answer.body;
    EXPECT_THAT(Json::parse(answer.body)["message"].get<std::string>(),
                HasSubstr(text));
  }

  v1::GetStatusResponse status_;
  std::unique_ptr<batch::Engine> engine_;
  std::shared_ptr<testing::FakeStore> store_;
  std::shared_ptr<Page> page_;
};

std::vector<uint64_t> IndicesOf(const Json& answer) {
  std::vector<uint64_t> indices;
  for (const Json& drawing : answer["drawings"]) {
    indices.push_back(drawing["index"].get<uint64_t>());
  }
  return indices;
}

TEST_F(PageTest, DatasetsAreListedWithWhatTheyAre) {
  const Json answer = GetJson("/api/datasets");
  EXPECT_EQ(answer["version"], "1.2.3");
  ASSERT_THAT(answer["datasets"], SizeIs(1));
  const Json& fake = answer["datasets"][0];
  EXPECT_EQ(fake["dataset"], "fake");
  EXPECT_EQ(fake["fingerprint"], std::string(64, 'f'));
  EXPECT_EQ(fake["drawings"], 1000);
  EXPECT_EQ(fake["classes"], 3);
  EXPECT_EQ(fake["problem"], "");
}

TEST_F(PageTest, ADatasetIsDescribedInTheWordsOfTheContract) {
  const Json answer =
      GetJson("/api/dataset", R"({"view": {"classes": ["class1"]}})");
  EXPECT_EQ(answer["view_drawings"], "250");
  EXPECT_EQ(answer["classes"][0]["word"], "class1");
}

TEST_F(PageTest, DrawingsComePageByPageInTheOrderOfAStream) {
  const auto page = [this](int step) {
    return IndicesOf(GetJson("/api/drawings",
                             R"({"open": {"view": {"classes": ["class2"]},
                     "order": {"shuffle": "SHUFFLE_NONE"},
                     "delivery": {"batch_size": 4, "tail": "TAIL_PARTIAL"}},
            "step": )" + std::to_string(step) +
                                 "}"));
  };
  EXPECT_THAT(page(0), ElementsAre(2, 6, 10, 14));
  EXPECT_THAT(page(1), ElementsAre(18, 22, 26, 30));
  // The last two share what is left.
  EXPECT_THAT(page(61), ElementsAre(978, 982, 986));
  EXPECT_THAT(page(62), ElementsAre(990, 994, 998));
  EXPECT_THAT(page(63), ElementsAre());
}

TEST_F(PageTest, ADrawingHasItsStrokes) {
  const Json answer = GetJson("/api/drawing", R"({"key_id": "1007"})");
  EXPECT_EQ(answer["index"], 7);
  const Drawing drawing = testing::FakeStore::MakeSketch(7);
  EXPECT_EQ(answer["points"], drawing.x.size());
  ASSERT_THAT(answer["strokes"], SizeIs(drawing.stroke_ends.size()));
  EXPECT_EQ(answer["strokes"][0]["x"][0], drawing.x[0]);
  EXPECT_FALSE(answer["strokes"][0].contains("t"));
}

TEST_F(PageTest, PixelsAreThoseOfAFetch) {
  const std::string request = R"({"index": [3], "order": {"seed": "5"},
    "delivery": {"views": 2, "augment": {"rotation": {"low": 30, "high": 40}},
      "image": {"height": 16, "width": 24, "channels": ["ink", "order"]}}})";
  const ops::HttpAnswer answer = Get("/api/pixels", request);
  EXPECT_EQ(answer.type, "application/octet-stream");
  EXPECT_EQ(answer.body.size(), 2 * 2 * 16 * 24);
  EXPECT_NE(answer.body, std::string(answer.body.size(), '\0'));
  EXPECT_EQ(Get("/api/pixels", request).body, answer.body);
}

TEST_F(PageTest, WrongRequestsAreToldWhatIsWrong) {
  ExpectRefused("/api/drawing", "{}", 400, "index or a key_id");
  ExpectRefused("/api/drawing", R"({"index": 1000})", 400, "not below 1000");
  ExpectRefused("/api/drawing", R"({"key_id": 5})", 404, "5");
  ExpectRefused("/api/drawing", R"({"indx": 1})", 400, "indx");
  ExpectRefused("/api/dataset", R"({"dataset": "fakes"})", 404, "fake");
  ExpectRefused("/api/pixels", R"({"index": [1]})", 400, "delivery.image");
  ExpectRefused("/api/pixels",
                R"({"index": [1], "delivery": {"image": {"height": 2048}}})",
                400, "image.height");
}

TEST_F(PageTest, AnswersAreBounded) {
  ExpectRefused("/api/drawings",
                R"({"open": {"delivery": {"batch_size": 201}}})", 400,
                "at most 200");
  ExpectRefused(
      "/api/pixels",
      R"({"index": [1], "delivery": {"views": 5, "image": {"height": 1024}}})",
      400, "at most 4194304");
}

TEST_F(PageTest, ADamagedDrawingIsOneOfThePage) {
  store_->Damage(1);
  const Json answer = GetJson("/api/drawings",
                              R"({"open": {"order": {"shuffle": "SHUFFLE_NONE"},
                                    "delivery": {"batch_size": 3}}})");
  EXPECT_THAT(IndicesOf(answer), ElementsAre(0, 1, 2));
  EXPECT_THAT(answer["drawings"][1]["problem"].get<std::string>(),
              HasSubstr("checksum"));
  EXPECT_TRUE(answer["drawings"][2].contains("strokes"));
}

TEST_F(PageTest, WithoutATokenNothingIsSeenOfADataset) {
  EXPECT_TRUE(
      engine_->AddDataset("other", std::make_shared<testing::FakeStore>(10))
          .ok());
  Open([](const std::string& authorization, const std::string& dataset) {
    if (authorization != "Bearer right") {
      return absl::UnauthenticatedError("a token, please");
    }
    return dataset == "other" ? absl::PermissionDeniedError("not for you")
                              : absl::OkStatus();
  });
  for (const char* path :
       {"datasets", "dataset", "drawings", "drawing", "pixels", "status"}) {
    const ops::HttpAnswer answer = Get(std::string("/api/") + path);
    EXPECT_EQ(answer.code, 401) << path;
    EXPECT_THAT(answer.headers,
                Contains(std::pair("WWW-Authenticate", "Bearer")));
  }
  EXPECT_EQ(Get("/").code, 200);  // which asks for the token
  status_.add_streams()->set_dataset("other");
  status_.add_streams()->set_dataset("fake");
  EXPECT_THAT(GetJson("/api/datasets", "", "Bearer right")["datasets"],
              SizeIs(1));
  EXPECT_THAT(GetJson("/api/status", "", "Bearer right")["streams"], SizeIs(1));
  for (const char* path : {"dataset", "drawings", "drawing", "pixels"}) {
    EXPECT_EQ(Get(std::string("/api/") + path, R"({"dataset": "other"})",
                  "Bearer right")
                  .code,
              403)
        << path;
  }
}

TEST_F(PageTest, TheOnlyDatasetIsMeantWhereNoneIsNamed) {
  std::mutex mu;
  std::vector<std::string> asked;
  Open([&](const std::string& /*authorization*/, const std::string& dataset) {
    const std::lock_guard<std::mutex> lock(mu);
    asked.push_back(dataset);
    return absl::OkStatus();
  });
  GetJson("/api/drawing", R"({"index": 0})");
  EXPECT_THAT(asked, ElementsAre("fake"));
}

TEST_F(PageTest, OtherSitesMakeNoWorkHere) {
  for (const char* site : {"cross-site", "same-site"}) {
    ops::HttpRequest request;
    request.path = "/api/datasets";
    request.fetch_site = site;
    EXPECT_EQ(Begin(request).get().code, 403);
  }
  // A link of theirs may lead here.
  ops::HttpRequest request;
  request.path = "/";
  request.fetch_site = "cross-site";
  EXPECT_EQ(Begin(request).get().code, 200);
}

TEST_F(PageTest, UnknownPathsAreToldWhatThereIs) {
  for (const char* path : {"/api", "/api/", "/api/dataset/", "/index.html"}) {
    const ops::HttpAnswer answer = Get(path);
    EXPECT_EQ(answer.code, 404);
    EXPECT_THAT(answer.body, HasSubstr("/metrics"));
  }
}

// A request that the engine has dropped is nobody's to answer any more, and one
// that it runs may come after the page's last reference is gone.
TEST_F(PageTest, TheEngineMayStopUnderRequests) {
  std::promise<void> begun;
  std::promise<void> open;
  std::once_flag first;
  store_->OnRead([&, opened = open.get_future().share()](uint64_t) {
    std::call_once(first, [&] { begun.set_value(); });
    opened.wait();
  });
  ops::HttpRequest request;
  request.path = "/api/drawing";
  request.parameters["request"] = R"({"index": 3})";
  std::future<ops::HttpAnswer> running = Begin(request);
  std::vector<std::future<ops::HttpAnswer>> waiting;
  for (int i = 0; i < 10; ++i) waiting.push_back(Begin(request));
  begun.get_future().wait();
  page_.reset();
  std::thread stopping([this] { engine_->Stop(); });
  open.set_value();
  stopping.join();
  EXPECT_EQ(running.get().code, 200);
}

}  // namespace
}  // namespace inkstream::page
