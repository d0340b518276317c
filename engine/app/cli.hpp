// What all subcommands share. Each lives in a file of its own, cmd_NAME.cpp, that declares its options on the
// CLI11 app and sets a callback; the callback does the work and leaves the exit status in the Context.
//
// Standard output is for data; everything else goes to standard error.
#pragma once

#include <filesystem>
#include <string>

#include <CLI/CLI.hpp>

#include "rules/base/result.hpp"
#include "rules/base/time.hpp"

namespace tocsin::engine {

enum ExitStatus : int { kAllWell = 0, kFoundWrong = 1, kUsage = 2, kFailure = 3 };

struct Context {
  const Clock& clock;
  std::string program;  // argv[0], for messages
  int exit_status = kAllWell;
};

// The data directory of a command that names none: $TOCSIN_DATA, else ./data.
[[nodiscard]] std::filesystem::path default_data_directory();

// Adds `--data DIR` to a command, and `--config FILE`, whose data directory it is if --data names none. `config`: where
// the command itself wants to read more of that file. Both outlive the parsing.
void add_data_option(CLI::App& command, std::filesystem::path& data, std::filesystem::path* config = nullptr);

// Prints "tocsin: MESSAGE" to standard error and returns the exit status that fits the code: kFoundWrong for
// wrong or corrupt input, kUsage never (CLI11 says that), kFailure for the machine's refusals.
int report(const Error& error);

// A counter on standard error for long work; silent when that is not a terminal.
class Progress {
 public:
  explicit Progress(std::string label);
  ~Progress();
  void at(std::uint64_t done, std::uint64_t total);  // total 0 = not known
  void clear();  // before something else is printed to the terminal

 private:
  std::string label_;
  bool shown_ = false;
  bool terminal_;
  std::uint64_t last_ = 0;
};

void add_rules(CLI::App& app, Context& context);
void add_scan(CLI::App& app, Context& context);
void add_assess(CLI::App& app, Context& context);
void add_decode(CLI::App& app, Context& context);
void add_replay(CLI::App& app, Context& context);
void add_register(CLI::App& app, Context& context);
void add_exposed(CLI::App& app, Context& context);  // exposed and who-saw
void add_forget(CLI::App& app, Context& context);
void add_ledger(CLI::App& app, Context& context);
void add_journal(CLI::App& app, Context& context);
void add_backup(CLI::App& app, Context& context);  // backup and restore
void add_user(CLI::App& app, Context& context);    // user and token
void add_config(CLI::App& app, Context& context);
void add_serve(CLI::App& app, Context& context);

}  // namespace tocsin::engine
