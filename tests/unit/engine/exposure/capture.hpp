// Reads a capture of tests/live: its log into answers, its truths, and what its records say.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/access/access.hpp"
#include "engine/exposure/reader.hpp"
#include "storage/register_store.hpp"

namespace tocsin::engine::live {

struct Truth {
  std::string tag, way;
  std::set<std::string> ids;
};
[[nodiscard]] std::vector<Truth> truths(const std::filesystem::path& folder);

// What was reported about the statements with one tag, all reaches together.
struct Answer {
  std::vector<Reach> all;
  std::optional<std::uint64_t> at_most = 0;
  std::uint64_t at_least = 0;
  std::size_t reaches = 0;
  bool open = false;     // everyone, and more people than the register names
  bool unknown = false;  // said not to be known
  std::string grade;     // the weakest
  std::string grades, text, reasons;
  std::size_t first = 0, last = 0;  // the records that show its text
};

struct Answers {
  bool kept = false;
  std::map<std::string, Answer> by_tag;
  std::set<std::string> known;  // ids that the register or the log names
  std::size_t undecoded = 0;    // records that could not be read
  std::set<std::size_t> told;   // where records were said to be missing or unreadable
  storage::Registers registers{storage::process_hash()};
  [[nodiscard]] const Answer& of(const std::string& tag);
  [[nodiscard]] std::set<std::string> people(const Answer& answer) const;
};

// Does something with the records of a log before they are decoded: lets them pass, drops them, changes their bytes.
using Tamper = std::function<void(std::vector<std::string>& records)>;

// The answers from `log` of the capture; `kept` declares its register to be so.
[[nodiscard]] Answers answers(const std::filesystem::path& folder, const char* log, bool kept, const Tamper& tamper = {});

// What one record says, as far as all formats tell it.
struct Said {
  Time time{};
  std::string account, operation, statement, parameters, relation, error;
  std::uint64_t number = 0, rows = 0;
  bool counted = false;
  [[nodiscard]] std::string text() const;
};
[[nodiscard]] std::vector<Said> said(const std::filesystem::path& folder, const char* log);

}  // namespace tocsin::engine::live
