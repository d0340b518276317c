// Registers as CSV and as NDJSON, read row by row from hostile files: every length and depth has its limit.
#include "storage/register_rows.hpp"

#include <simdjson.h>

#include <algorithm>
#include <utility>

#include "rules/base/text.hpp"
#include "storage/register_store.hpp"
#include "storage/value_shape.hpp"

namespace tocsin::storage {
namespace {

std::string too_long(const char* hint) {
  return "longer than " + std::to_string(kMaxImportRecord / 1024) + " KiB" + hint;
}

class CsvRows final : public RegisterRows {
 public:
  explicit CsvRows(std::istream& in) : in_(in) {}

  Outcome columns(std::vector<std::string>& names, std::string& problem) override { return next(names, problem); }

  Outcome next(std::vector<std::string>& fields, std::string& problem) override {
    fields.clear();
    problem.clear();
    first_line_ = line_ + 1;
    int c = get();
    if (c == EOF) return Outcome::kEnd;
    std::string field;
    bool quoted = false, any = false, was_quoted = false;
    const auto finish = [&] {
      if (was_quoted && field.empty()) field = kEmptyText;
      was_quoted = false;
    };
    std::size_t bytes = 0;
    for (;; c = get()) {
      if (c != EOF && ++bytes > kMaxImportRecord && problem.empty()) problem = too_long(" (is a quote missing?)");
      const bool keep = problem.empty();
      if (c == EOF || (c == '\n' && !quoted)) {
        if (quoted && keep) problem = "a quoted field does not end";
        if (!field.empty() && field.back() == '\r') field.pop_back();
        finish();
        if (any || !field.empty() || !fields.empty()) fields.push_back(std::move(field));
        break;
      }
      any = true;
      if (c == '"') {
        if (!quoted && field.empty()) {
          quoted = was_quoted = true;
        } else if (quoted && in_.peek() == '"') {
          (void)get();
          if (keep) field += '"';
        } else if (quoted) {
          quoted = false;
        } else if (keep) {
          problem = "a quote stands inside a field that is not quoted";
        }
      } else if (c == ',' && !quoted) {
        finish();
        if (fields.size() < kMaxImportColumns) fields.push_back(std::move(field));
        else if (keep) problem = "more than " + std::to_string(kMaxImportColumns) + " columns";
        field.clear();
      } else if (keep) {
        field += static_cast<char>(c);
      }
      if (!problem.empty() && quoted && bytes > 4 * kMaxImportRecord) quoted = false;  // find the next line again
    }
    if (problem.empty()) {
      for (const std::string& f : fields) {
        if (!is_utf8(f)) problem = "not UTF-8";
        else if (f.find('\0') != std::string::npos) problem = "holds a zero byte";
      }
    }
    return problem.empty() ? Outcome::kRecord : Outcome::kBad;
  }

 private:
  int get() {
    const int c = in_.get();
    if (c != EOF) ++bytes_;
    if (c == '\n') ++line_;
    return c;
  }
  std::istream& in_;
};

class NdjsonRows final : public RegisterRows {
 public:
  explicit NdjsonRows(std::istream& in) : in_(in) {}

  Outcome columns(std::vector<std::string>& names, std::string& problem) override {
    const Outcome outcome = read(problem);
    if (outcome != Outcome::kRecord) return outcome;
    for (const auto& [name, value] : members_) names_.push_back(name);
    names = names_;
    pending_ = true;
    return Outcome::kRecord;
  }

  Outcome next(std::vector<std::string>& fields, std::string& problem) override {
    fields.clear();
    problem.clear();
    if (!std::exchange(pending_, false)) {
      const Outcome outcome = read(problem);
      if (outcome != Outcome::kRecord) return outcome;
    }
    fields.resize(names_.size());
    for (auto& [name, value] : members_) {
      const auto column = std::find(names_.begin(), names_.end(), name);
      if (column == names_.end()) {
        problem = "a member that the first line lacks (null stands for what somebody has not)";
        return Outcome::kBad;
      }
      fields[static_cast<std::size_t>(column - names_.begin())] = std::move(value);
    }
    return Outcome::kRecord;
  }

 private:
  Outcome read(std::string& problem) {
    do {
      first_line_ = ++line_;
      if (!take_line(problem)) return Outcome::kEnd;
      if (!problem.empty()) return Outcome::kBad;
    } while (trim(text_).empty());
    members_.clear();
    problem = parse();
    return problem.empty() ? Outcome::kRecord : Outcome::kBad;
  }

  // False at the end. A line that is too long is passed over to its end.
  bool take_line(std::string& problem) {
    text_.clear();
    int c = in_.get();
    if (c == EOF) return false;
    for (; c != EOF && c != '\n'; c = in_.get()) {
      ++bytes_;
      if (text_.size() < kMaxImportRecord) text_ += static_cast<char>(c);
      else problem = too_long("");
    }
    if (c == '\n') ++bytes_;
    return true;
  }

  // Numbers stay as they are written: an id of twenty digits must not lose one.
  std::string parse() {
    const simdjson::padded_string padded(text_);
    simdjson::ondemand::document document;
    simdjson::ondemand::object object;
    if (parser_.iterate(padded).get(document) || document.get_object().get(object)) return "not a JSON object";
    for (auto member : object) {
      std::string_view name;
      simdjson::ondemand::value value;
      simdjson::ondemand::json_type type{};
      if (member.unescaped_key().get(name) || member.value().get(value) || value.type().get(type)) return "not JSON";
      std::string key(name);  // the parser's buffer is used again
      std::string text;
      switch (type) {
        case simdjson::ondemand::json_type::string: {
          std::string_view plain;
          if (value.get_string().get(plain)) return "not JSON";
          text = plain.empty() ? std::string(kEmptyText) : std::string(plain);
          break;
        }
        case simdjson::ondemand::json_type::number: {
          text = std::string(trim(value.raw_json_token()));
          simdjson::ondemand::number number;
          const auto error = value.get_number().get(number);
          if (error && error != simdjson::NUMBER_ERROR) return "not JSON";
          if (error && !(text.size() > 18 && text.find_first_not_of("-0123456789") == std::string::npos)) return "a number that is none";
          break;
        }
        case simdjson::ondemand::json_type::boolean: {
          bool yes = false;
          if (value.get_bool().get(yes)) return "not JSON";
          text = yes ? "true" : "false";
          break;
        }
        case simdjson::ondemand::json_type::null:
          if (!value.is_null()) return "not JSON";
          break;
        default: return "a value is an object or a list";
      }
      if (text.find('\0') != std::string::npos || key.find('\0') != std::string::npos) return "holds a zero byte";
      if (members_.size() >= kMaxImportColumns) return "more than " + std::to_string(kMaxImportColumns) + " members";
      if (std::any_of(members_.begin(), members_.end(), [&](const auto& m) { return m.first == key; })) return "a member stands twice";
      members_.emplace_back(std::move(key), std::move(text));
    }
    const char* rest = nullptr;
    return document.current_location().get(rest) == simdjson::OUT_OF_BOUNDS ? std::string() : "something follows the object";
  }

  std::istream& in_;
  simdjson::ondemand::parser parser_;
  std::string text_;
  std::vector<std::string> names_;
  std::vector<std::pair<std::string, std::string>> members_;
  bool pending_ = false;  // the first object told the columns and is a person too
};

}  // namespace

std::unique_ptr<RegisterRows> register_rows(std::istream& in) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  for (const char expected : kMark) {
    if (in.peek() != static_cast<unsigned char>(expected)) break;
    in.get();
  }
  if (in.peek() == '{') return std::make_unique<NdjsonRows>(in);
  return std::make_unique<CsvRows>(in);
}

}  // namespace tocsin::storage
