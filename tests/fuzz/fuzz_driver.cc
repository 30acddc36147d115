// A main() for fuzz targets where the compiler brings none: it runs the seeds
// and then mutations of them, the same ones on every machine. Options as
// libFuzzer's: -runs=N, -max_total_time=SECONDS, -seed=N, then directories and
// files with seeds. What fails is left in ./crash-input.

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr size_t kMaxBytes = size_t{1} << 16U;

const std::string* current = nullptr;

extern "C" void OnCrash(int number) {
  if (current != nullptr) {
    if (FILE* file = std::fopen("crash-input", "wb"); file != nullptr) {
      std::fwrite(current->data(), 1, current->size(), file);
      std::fclose(file);
    }
  }
  signal(number, SIG_DFL);
  raise(number);
}

void Run(const std::string& input) {
  current = &input;
  // A copy of exactly this size, so that a read beyond it is seen.
  std::vector<uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

void AddSeeds(const std::filesystem::path& path,
              std::vector<std::string>* seeds) {
  if (std::filesystem::is_directory(path)) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(path)) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (const std::filesystem::path& file : files) AddSeeds(file, seeds);
    return;
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "%s: no such file or folder of seeds\n", path.c_str());
    std::exit(2);
  }
  std::string seed{std::istreambuf_iterator<char>(file), {}};
  if (seed.size() <= kMaxBytes) seeds->push_back(std::move(seed));
}

class Mutator {
 public:
  Mutator(uint64_t seed, const std::vector<std::string>& seeds)
      : random_(seed), seeds_(seeds) {}

  std::string Next() {
    std::string input = seeds_[random_() % seeds_.size()];
    for (uint64_t i = 1 + random_() % 8; i > 0; --i) Mutate(&input);
    if (input.size() > kMaxBytes) input.resize(kMaxBytes);
    return input;
  }

 private:
  size_t At(const std::string& text) {
    return text.empty() ? 0 : random_() % text.size();
  }

  void Mutate(std::string* input) {
    static constexpr char kTokens[] = "[]{},:\"\\-.0129eE\n\0\xff\xc3 u";
    switch (random_() % 7) {
      case 0:
        if (!input->empty()) (*input)[At(*input)] ^= 1U << random_() % 8;
        break;
      case 1:
        if (!input->empty()) (*input)[At(*input)] = Token(kTokens);
        break;
      case 2:
        input->insert(At(*input), 1, Token(kTokens));
        break;
      case 3:
        input->erase(At(*input), 1 + random_() % 16);
        break;
      case 4:
        input->resize(At(*input));
        break;
      case 5: {  // a run again, somewhere else
        const std::string run = input->substr(At(*input), 1 + random_() % 64);
        input->insert(At(*input), run);
        break;
      }
      default: {  // the end of another seed
        const std::string& other = seeds_[random_() % seeds_.size()];
        input->resize(At(*input));
        input->append(other, At(other));
        break;
      }
    }
  }

  template <size_t size>
  char Token(const char (&tokens)[size]) {
    return tokens[random_() % (size - 1)];
  }

  std::mt19937_64 random_;
  const std::vector<std::string>& seeds_;
};

}  // namespace

int main(int argc, char** argv) {
  uint64_t runs = UINT64_MAX;
  uint64_t seconds = UINT64_MAX;
  uint64_t seed = 1;
  std::vector<std::string> seeds = {""};
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const auto number = [&](const char* flag, uint64_t* value) {
      if (argument.rfind(flag, 0) != 0) return false;
      *value = std::strtoull(argument.c_str() + std::strlen(flag), nullptr, 10);
      return true;
    };
    if (number("-runs=", &runs) || number("-max_total_time=", &seconds) ||
        number("-seed=", &seed) || argument[0] == '-') {
      continue;
    }
    AddSeeds(argument, &seeds);
  }
  if (runs == UINT64_MAX && seconds == UINT64_MAX) seconds = 60;
  for (const int number : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL}) {
    signal(number, OnCrash);
  }
  for (const std::string& input : seeds) Run(input);
  Mutator mutator(seed, seeds);
  const auto start = std::chrono::steady_clock::now();
  uint64_t done = 0;
  while (done < runs) {
    if (done % 64 == 0 && seconds != UINT64_MAX &&
        std::chrono::steady_clock::now() - start >=
            std::chrono::seconds(seconds)) {
      break;
    }
    Run(mutator.Next());
    ++done;
  }
  std::printf("%zu seeds and %llu mutations, nothing found\n", seeds.size(),
              static_cast<unsigned long long>(done));
  return 0;
}
