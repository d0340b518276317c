// Shared manners of the subcommands.
#include "engine/app/cli.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "engine/app/config.hpp"

namespace tocsin::engine {

std::filesystem::path default_data_directory() {
  const char* named = std::getenv("TOCSIN_DATA");
  return named != nullptr && *named != '\0' ? named : "data";
}

void add_data_option(CLI::App& command, std::filesystem::path& data, std::filesystem::path* config) {
  data = default_data_directory();
  const CLI::Option* named = command.add_option("--data", data, "data directory (default: the configuration's, $TOCSIN_DATA or ./data)")->type_name("DIR");
  const char* what = config != nullptr ? "configuration that names it, and the kinds of data (an engine that runs knows)" : "configuration that names it";
  command.add_option_function<std::filesystem::path>("--config", [&data, named, config](const std::filesystem::path& file) {
    auto loaded = load_config(file);
    if (!loaded) throw CLI::ValidationError("--config", loaded.error().text());
    if (!loaded->mistakes.empty()) throw CLI::ValidationError("--config", describe(loaded->mistakes.front(), file));
    if (named->empty()) data = loaded->config.data;
    if (config != nullptr) *config = file;
  }, what)->type_name("FILE");
}

int report(const Error& error) {
  std::fprintf(stderr, "tocsin: %s\n", error.text().c_str());
  switch (error.code) {
    case Errc::kInvalid:
    case Errc::kNotFound:
    case Errc::kConflict:
    case Errc::kCorrupt:
    case Errc::kTooLarge:
    case Errc::kUnsupported: return kFoundWrong;
    default: return kFailure;
  }
}

Progress::Progress(std::string label) : label_(std::move(label)), terminal_(::isatty(2) != 0) {}

Progress::~Progress() { clear(); }

void Progress::clear() {
  if (shown_) std::fprintf(stderr, "\r\033[K");
  shown_ = false;
}

void Progress::at(std::uint64_t done, std::uint64_t total) {
  constexpr std::uint64_t kEvery = 1 << 20;
  if (!terminal_ || (shown_ && done - last_ < kEvery)) return;
  last_ = done;
  shown_ = true;
  if (total > 0) {
    constexpr std::uint64_t kWidth = 30;
    const std::uint64_t share = std::min<std::uint64_t>(done, total);
    std::string bar(static_cast<std::size_t>(share * kWidth / total), '=');
    bar.resize(kWidth, ' ');
    std::fprintf(stderr, "\r%s [%s] %3llu %%", label_.c_str(), bar.c_str(), static_cast<unsigned long long>(share * 100 / total));
  } else {
    std::fprintf(stderr, "\r%s %llu", label_.c_str(), static_cast<unsigned long long>(done));
  }
}

}  // namespace tocsin::engine
