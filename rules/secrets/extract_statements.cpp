// SQL: IDENTIFIED BY, SET PASSWORD FOR, INSERT by columns.
#include "rules/secrets/extract_reader.hpp"

namespace tocsin::rules::secrets {

void FieldReader::identified_by(const StemHit& stem) {
  if (stem.end <= done) return;
  std::size_t i = skip_blanks(stem.end);
  if (i == stem.end) return;
  const Key key{KeyClass::kPassword, "", ""};
  const std::size_t near = std::min(s_.size(), i + 160);
  if (iequals(s_.substr(stem.start, stem.end - stem.start), "set password for")) {
    // SET PASSWORD FOR 'a'@'%' = 'x'
    while (i < near && s_[i] != '=' && s_[i] != ';') ++i;
    if (get(i) != '=') return;
    auto value = after_separator(i + 1, FieldShape::kPlain, false);
    if (value) judge(key, *value, FieldRule::kPasswordSql);
    return;
  }
  if (iequals(s_.substr(stem.start, stem.end - stem.start), "identified with")) {
    // IDENTIFIED WITH plugin BY 'x'; AS '…' would be a digest
    while (i < near && is_key(s_[i])) ++i;
    i = skip_blanks(i);
    if (!iat(i, "by ") && !iat(i, "as ")) return;
    i = skip_blanks(i + 3);
  }
  if (iat(i, "password ")) i = skip_blanks(i + 9);
  if (iat(i, "values ")) i = skip_blanks(i + 7);
  auto value = quoted(i, true);
  if (!value) {
    // Without quotes only Oracle writes it, after CREATE, ALTER or GRANT; in a sentence it is no password.
    const std::string before = to_lower(s_.substr(stem.start > 200 ? stem.start - 200 : 0, std::min<std::size_t>(stem.start, 200)));
    const bool statement = before.find("create user") != std::string::npos || before.find("alter user") != std::string::npos ||
                           before.find("grant ") != std::string::npos || before.find("create role") != std::string::npos ||
                           before.find("alter role") != std::string::npos || before.find("set role") != std::string::npos;
    if (!statement) return;
    value = plain(i, FieldShape::kPlain, false);
    if (value->end == value->start || words_.is_prose(to_lower(s_.substr(value->start, value->end - value->start)))) return;
  }
  judge(key, *value, FieldRule::kPasswordSql);
  // Oracle: ALTER USER x IDENTIFIED BY new REPLACE old
  std::size_t next = value->end;
  if (get(next) == '"' || get(next) == '\'') ++next;
  next = skip_blanks(next);
  if (!iat(next, "replace ")) return;
  next = skip_blanks(next + 8);
  auto old = quoted(next, true);
  if (!old) old = plain(next, FieldShape::kPlain, false);
  if (old->end > old->start) judge(key, *old, FieldRule::kPasswordSql);
}

// INSERT INTO t (a, password) VALUES ('x', 'y'), (…)
void FieldReader::insert(const StemHit& stem) {
  std::size_t i = stem.end;
  const std::size_t stop = std::min(s_.size(), i + 300);
  while (i < stop && s_[i] != '(' && s_[i] != ';') ++i;
  if (get(i) != '(') return;
  std::vector<Key> columns;
  i = insert_columns(i + 1, columns);
  if (columns.empty()) return;
  i = skip_blanks(i, 64);
  if (!iat(i, "values")) {
    if (!iat(i, "value")) return;
    i += 5;
  } else {
    i += 6;
  }
  for (std::size_t row = 0; row < Extractor::kMaxRows; ++row) {
    i = skip_blanks(i, 64);
    if (get(i) != '(') return;
    i = insert_row(i + 1, columns);
    i = skip_blanks(i, 64);
    if (get(i) != ',') return;
    ++i;
  }
}

std::size_t FieldReader::insert_columns(std::size_t i, std::vector<Key>& columns) const {
  bool any = false;
  while (i < s_.size() && columns.size() < Extractor::kMaxColumns) {
    i = skip_blanks(i, 64);
    while (get(i) == '"' || get(i) == '`' || get(i) == '[' || get(i) == '\\') ++i;
    const std::size_t start = i;
    while (i < s_.size() && is_key(s_[i]) && i < start + Vocabulary::kMaxKey) ++i;
    if (i == start) break;
    const Key key = words_.classify(s_.substr(start, i - start));
    any = any || (key.cls != KeyClass::kNone && key.cls != KeyClass::kAbout);
    columns.push_back(key);
    while (get(i) == '"' || get(i) == '`' || get(i) == ']' || get(i) == '\\') ++i;
    i = skip_blanks(i, 64);
    if (get(i) == ')') {
      if (!any) columns.clear();
      return i + 1;
    }
    if (get(i) != ',') break;
    ++i;
  }
  columns.clear();
  return i;
}

// Reads one row; returns the offset behind its ')'.
std::size_t FieldReader::insert_row(std::size_t i, const std::vector<Key>& columns) {
  for (std::size_t column = 0; column < Extractor::kMaxColumns; ++column) {
    i = skip_blanks(i, 64);
    std::size_t quote = i;
    if (get(quote + 1) == '\'' && (s_[quote] == 'N' || s_[quote] == 'E')) ++quote;
    FieldValue value{i, i, FieldShape::kPlain, 0, false};
    if (get(quote) == '\'') {
      value = {quote + 1, sql_string_end(quote), FieldShape::kSqlQuoted, 0, false};
      i = value.end + 1;
    } else {
      std::size_t depth = 0;
      const std::size_t stop = limit_from(i);
      while (i < stop && (depth > 0 || (s_[i] != ',' && s_[i] != ')'))) {
        if (s_[i] == '\'') {
          i = sql_string_end(i);
          if (i >= stop) break;
        }
        if (s_[i] == '(') ++depth;
        if (s_[i] == ')' && depth > 0) --depth;
        ++i;
      }
      value.end = i;
      if (s_.substr(value.start, value.end - value.start).find('(') != std::string_view::npos) {
        if (const auto argument = call_argument(value)) value = *argument;
      }
    }
    if (column < columns.size() && value.end > value.start) {
      const Key& key = columns[column];
      const bool counts = key.cls != KeyClass::kNone && key.cls != KeyClass::kAbout && key.cls != KeyClass::kAuthorization &&
                          (personal_ || key.cls != KeyClass::kPersonalNumber);
      if (counts) judge(key, value, FieldRule::kPasswordSql);
    }
    i = skip_blanks(std::min(i, s_.size()), 64);
    if (get(i) == ')') return i + 1;
    if (get(i) != ',') return s_.size();
    ++i;
  }
  return s_.size();
}

// What databases print about a row that they refuse: Key (tenant, ssn)=(3, 536-22-8714) already exists; Duplicate entry
// '536-22-8714' for key 'users.ssn'. `i` is behind the key and what closes it.
std::optional<FieldValue> FieldReader::value_of_row(std::size_t i, const KeySpan& key, bool closed) const {
  constexpr std::size_t kMaxColumns = 16;
  constexpr std::size_t kNear = 200;
  const std::size_t from = key.start > kNear ? key.start - kNear : 0;
  const std::string_view left = s_.substr(from, key.start - from);
  if (closed) {
    constexpr std::string_view kBefore = "' for key '";
    constexpr std::string_view kEntry = "Duplicate entry '";
    if (!left.ends_with(kBefore)) return std::nullopt;
    const auto entry = left.rfind(kEntry);
    if (entry == std::string_view::npos) return std::nullopt;
    return FieldValue{from + entry + kEntry.size(), key.start - kBefore.size(), FieldShape::kQuoted, 0, false};
  }
  if (get(i) != ')' && get(i) != ',') return std::nullopt;
  const auto open = left.rfind("Key (");
  const std::size_t close = s_.substr(0, std::min(s_.size(), i + kNear)).find(")=(", i);
  if (open == std::string_view::npos || close == std::string_view::npos) return std::nullopt;
  const std::string_view columns = s_.substr(from + open, close - from - open);
  if (columns.find_first_of(")'\"") != std::string_view::npos) return std::nullopt;
  // The n-th column belongs to the n-th value.
  std::size_t before_it = static_cast<std::size_t>(std::count(left.begin() + static_cast<std::ptrdiff_t>(open), left.end(), ','));
  if (before_it > kMaxColumns) return std::nullopt;
  std::size_t start = close + 3;
  const std::size_t stop = limit_from(start);
  for (; before_it > 0; --before_it) {
    const auto comma = s_.substr(0, stop).find(", ", start);
    if (comma == std::string_view::npos) return std::nullopt;
    start = comma + 2;
  }
  std::size_t end = start;
  while (end < stop && s_[end] != ')' && s_[end] != ',' && s_[end] != '\n') ++end;
  read_ += end - close;
  if (end == start) return std::nullopt;
  return FieldValue{start, end, FieldShape::kQuoted, 0, false};
}

}  // namespace tocsin::rules::secrets
