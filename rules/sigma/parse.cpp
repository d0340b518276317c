// The text is cut at the document markers first, so that a syntax error stays within its document and lines count
// from the file's start. What a document is, its keys tell: `correlation`, `filter`, else a rule.
#include "rules/sigma/parse.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "rules/base/text.hpp"
#include "rules/sigma/collection.hpp"
#include "rules/sigma/read.hpp"

namespace tocsin::rules::sigma {
namespace {

struct Chunk {
  std::string_view text;
  int first_line = 1;
};

// The documents of a YAML text: "---" at the start of a line parts them (it can stand nowhere else).
std::vector<Chunk> split_documents(std::string_view text) {
  std::vector<Chunk> chunks;
  std::size_t begin = 0;
  int begin_line = 1;
  int line = 1;
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t end = text.find('\n', at);
    if (end == std::string_view::npos) end = text.size();
    const std::string_view row = text.substr(at, end - at);
    if (row.starts_with("---") && (row.size() == 3 || row[3] == ' ' || row[3] == '\t' || row[3] == '\r')) {
      chunks.push_back({text.substr(begin, at - begin), begin_line});
      begin = at + 3;  // the document may begin on this line
      begin_line = line;
    }
    at = end + 1;
    ++line;
  }
  chunks.push_back({text.substr(begin), begin_line});
  return chunks;
}

bool says_nothing(std::string_view chunk) {
  for (const std::string_view row : split(chunk, '\n')) {
    const std::string_view content = trim(row);
    if (!content.empty() && content[0] != '#' && content[0] != '%' && content != "...") return false;
  }
  return true;
}

// Nothing if the document is only a template for others.
std::optional<ParsedDocument> parse_document(const Chunk& chunk, std::string_view file, Collection& collection) {
  ParsedDocument parsed;
  Report& report = parsed.report;
  report.file = std::string(file);
  report.line = chunk.first_line;
  const auto rejected = [&](Remark remark) {
    report.status = Status::kRejected;
    report.line = remark.line;
    report.remarks.clear();
    report.remarks.push_back(std::move(remark));
  };
  if (chunk.text.size() > kMaxRuleBytes) {
    collection.broken(chunk.text);
    rejected({"too-large", "the document is longer than 1 MiB", "keep long lists in a placeholder table (expand)", chunk.first_line});
    return parsed;
  }
  if (!is_utf8(chunk.text)) {
    collection.broken(chunk.text);
    rejected({"not-utf8", "the document is not valid UTF-8 text", "save the file as UTF-8", chunk.first_line});
    return parsed;
  }
  Remark unreadable;
  std::shared_ptr<const YamlDocument> yaml = read_yaml(chunk.text, chunk.first_line, unreadable);
  if (yaml == nullptr) {
    collection.broken(chunk.text);
    rejected(std::move(unreadable));
    return parsed;
  }
  try {
    Reader reader(file, report);
    const bool empty = yaml->root == nullptr;
    const YamlNode* const tree = collection.next(std::move(yaml));
    if (tree == nullptr && !empty) return std::nullopt;
    static const YamlNode kNothing;
    const YamlNode& root = tree == nullptr ? kNothing : *tree;
    if (root.find("correlation") != nullptr) parsed.correlation = read_correlation(reader, root);
    else if (root.find("filter") != nullptr) parsed.filter = read_filter(reader, root);
    else parsed.rule = read_rule(reader, root);
    if (!report.remarks.empty()) {
      report.status = Status::kWarning;
      report.line = report.remarks.front().line;
    }
  } catch (const Refusal& refusal) {
    rejected(refusal.remark);
  }
  return parsed;
}

}  // namespace

std::string_view name(Level level) noexcept {
  switch (level) {
    case Level::kInformational: return "informational";
    case Level::kLow: return "low";
    case Level::kMedium: return "medium";
    case Level::kHigh: return "high";
    case Level::kCritical: return "critical";
  }
  return "medium";
}

std::string_view name(Status status) noexcept {
  switch (status) {
    case Status::kOk: return "ok";
    case Status::kWarning: return "warning";
    case Status::kRejected: return "rejected";
  }
  return "rejected";
}

std::string Report::text() const {
  std::string out = file + ":" + std::to_string(line) + ": " + std::string(name(status));
  for (const Remark& remark : remarks) {
    out += (&remark == &remarks.front() ? ": " : "; ") + remark.message + " [" + remark.code + "]";
    if (!remark.remedy.empty()) out += " (" + remark.remedy + ")";
  }
  return out;
}

std::vector<ParsedDocument> parse_rules(std::string_view text, std::string_view file) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::vector<ParsedDocument> documents;
  Collection collection;
  for (const Chunk& chunk : split_documents(text)) {
    if (says_nothing(chunk.text)) continue;
    if (auto document = parse_document(chunk, file, collection)) documents.push_back(std::move(*document));
  }
  if (documents.empty()) {
    ParsedDocument empty;
    empty.report.file = std::string(file);
    empty.report.line = 1;
    empty.report.status = Status::kRejected;
    empty.report.remarks.push_back({"not-a-rule", "the file holds no rule", "remove it, or write a rule into it", 1});
    documents.push_back(std::move(empty));
  }
  return documents;
}

}  // namespace tocsin::rules::sigma
