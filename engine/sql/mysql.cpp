// Sorts statements by what they are for the log's reader, has queries rewritten (mysql_rewriter.hpp) and read by
// PostgreSQL's parser, and keeps what was read by the shape of its tokens.
#include "engine/sql/mysql.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <simdjson.h>

#include "engine/sql/bind.hpp"
#include "engine/sql/cache_counts.hpp"
#include "engine/sql/mysql_lexer.hpp"
#include "engine/sql/mysql_rewriter.hpp"
#include "engine/sql/shape.hpp"
#include "engine/sql/shape_cache.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine::sql {

using mysql::lex;
using mysql::Lexed;
using mysql::Place;
using mysql::rewrite;
using mysql::Rewritten;
using mysql::Token;
using mysql::TokenKind;
using mysql::Tokens;

namespace {

bool one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Databases of the server itself count as catalogues; other databases are left away.
void strip(Relation& r) {
  if (one_of(r.schema, {"mysql", "information_schema", "performance_schema", "sys"})) r.schema = "information_schema";
  else r.schema.clear();
}

void strip(Statement& s) {
  for (Source& source : s.query.sources) strip(source.relation);
  strip(s.target);
  for (Relation& r : s.parents) strip(r);
  for (Relation& r : s.dropped) strip(r);
}

// The table after CREATE … TABLE or INSERT … INTO; "" if there is none.
std::string target_of(const Tokens& tokens) {
  static const std::set<std::string_view> kBetween = {"create", "or", "replace", "temporary", "table", "if", "not", "exists", "insert", "into",
                                                      "ignore", "delayed", "low_priority", "high_priority"};
  if (tokens.empty() || !one_of(tokens[0].text, {"create", "insert", "replace"})) return "";
  if (tokens[0].text == "create" && std::none_of(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(tokens.size(), 5)),
                                                 [](const Token& t) { return t.kind == TokenKind::kWord && t.text == "table"; })) {
    return "";
  }
  std::size_t i = 0;
  while (i < tokens.size() && tokens[i].kind == TokenKind::kWord && kBetween.count(tokens[i].text) > 0) ++i;
  if (i + 2 < tokens.size() && tokens[i + 1].kind == TokenKind::kSign && tokens[i + 1].text == ".") i += 2;
  return i < tokens.size() && (tokens[i].kind == TokenKind::kWord || tokens[i].kind == TokenKind::kName) ? tokens[i].text : "";
}

struct Sorted {
  MysqlReading reading;
  Rewritten query;  // for the parser; text empty = nothing to parse
};

void refuse(MysqlReading& r, std::string reason) {
  r.kind = MysqlKind::kRefused;
  r.reason = std::move(reason);
}

Sorted sort_out(std::string_view text, Lexed lexed) {
  Sorted out;
  MysqlReading& r = out.reading;
  if (text.size() > kMaxStatementBytes) {
    refuse(r, "the statement is longer than " + std::to_string(kMaxStatementBytes) + " bytes");
    return out;
  }
  Tokens& tokens = lexed.tokens;
  r.target = target_of(tokens);
  if (!lexed.complete) {
    refuse(r, "the statement is not complete, or what it does depends on the server's version");
    return out;
  }
  while (!tokens.empty() && tokens.back().kind == TokenKind::kSign && tokens.back().text == ";") tokens.pop_back();
  std::size_t bracket = 0;
  while (bracket < tokens.size() && tokens[bracket].kind == TokenKind::kSign && tokens[bracket].text == "(") ++bracket;
  if (bracket >= tokens.size() || tokens[bracket].kind != TokenKind::kWord) return out;
  const auto word = [&](std::size_t i) { return i < tokens.size() && tokens[i].kind == TokenKind::kWord ? std::string_view(tokens[i].text) : std::string_view(); };
  const std::string_view first = word(bracket), second = word(bracket + 1);
  r.dump = lexed.dump;

  if (first == "lock" || (first == "flush" && std::any_of(tokens.begin(), tokens.end(), [](const Token& t) { return t.text == "lock"; }))) {
    r.kind = MysqlKind::kLock;
    for (std::size_t i = 1; i < tokens.size(); ++i) {
      if (tokens[i].kind == TokenKind::kName || tokens[i].kind == TokenKind::kWord) r.relations.push_back(tokens[i].text);
    }
    return out;
  }
  if (first == "unlock") {
    r.kind = MysqlKind::kUnlock;
    return out;
  }
  if (first == "handler") {
    const bool reads = std::any_of(tokens.begin(), tokens.end(), [](const Token& t) { return t.kind == TokenKind::kWord && t.text == "read"; });
    r.kind = reads ? MysqlKind::kOpaque : MysqlKind::kNothing;
    r.one_row = reads && std::none_of(tokens.begin(), tokens.end(), [](const Token& t) { return t.kind == TokenKind::kWord && t.text == "limit"; });
    return out;
  }
  if (first == "set") {
    for (std::size_t i = 1; i + 1 < tokens.size(); ++i) {
      if (tokens[i].text.ends_with("sql_mode")) {
        for (std::size_t k = i + 1; k < tokens.size(); ++k) r.modes += tokens[k].text + " ";
      }
    }
    r.kind = MysqlKind::kOpaque;
    return out;
  }
  if (one_of(first, {"do", "call", "load", "begin_not_atomic", "execute", "table", "if", "case", "loop", "while", "repeat", "for"}) ||
      (first == "begin" && second == "not")) {
    r.kind = first == "execute" ? MysqlKind::kNothing : MysqlKind::kOpaque;
    if (first != "table") return out;
  }
  const bool creates_table = first == "create" && (second == "table" || second == "temporary" || second == "or" || second == "view");
  const bool queries = one_of(first, {"select", "with", "values", "table", "insert", "replace", "update", "delete", "truncate", "begin", "start",
                                      "commit", "rollback", "drop", "rename"}) ||
                       creates_table || first == "create" || first == "alter";
  if (!queries) return out;  // SHOW, EXPLAIN, ANALYZE, GRANT, PREPARE, …
  if (first == "start" && second != "transaction") return out;
  if (first == "drop" && !one_of(second, {"table", "view", "temporary"})) return out;
  if (first == "create" || first == "alter") {
    // Only tables and views matter; bodies of functions and triggers are not read.
    const std::string lowered = to_lower(text.substr(0, 400));
    const auto has = [&](std::string_view w) { return lowered.find(w) != std::string::npos; };
    if (!has("table") && !has("view")) return out;
    for (const std::string_view body : {"function", "procedure", "trigger", "event "}) {
      const std::size_t at = lowered.find(body);
      if (at < std::min(lowered.find("table"), lowered.find(" view"))) return out;
    }
  }
  r.kind = MysqlKind::kQuery;
  out.query = rewrite(std::move(tokens));
  r.outfile = out.query.outfile;
  r.for_update = out.query.for_update;
  return out;
}

// The text's tokens with marks for its constants, if it is a query: what other statements are may hang on a constant.
bool shape_of_tokens(std::string_view text, const Lexed& lexed, Shape& out) {
  out.clear();
  std::size_t first = 0;
  while (first < lexed.tokens.size() && lexed.tokens[first].text == "(") ++first;
  if (!lexed.complete || first >= lexed.tokens.size() || text.find('\0') != std::string_view::npos ||
      !simdjson::validate_utf8(text.data(), text.size())) return false;
  if (lexed.tokens[first].kind != TokenKind::kWord ||
      !one_of(lexed.tokens[first].text, {"select", "with", "insert", "replace", "update", "delete"})) {
    return false;
  }
  out.key += lexed.dump ? 'd' : 'q';
  for (const Token& token : lexed.tokens) {
    if (token.literal == 0) {
      out.key += static_cast<char>('A' + static_cast<int>(token.kind));
      out.key += token.text;
      out.key += '\0';  // no token holds one
      continue;
    }
    Literal literal;
    if (token.kind == TokenKind::kNumber) literal = number_literal(token.text);
    else literal.text = token.text;
    out.key += mark(literal.kind);
    out.literals.push_back(std::move(literal));
  }
  return true;
}

// `literals`, of the tokens, may be nullptr.
std::shared_ptr<MysqlReading> read_new(std::string_view text, Lexed lexed, std::vector<Literal>* literals) {
  Sorted sorted = sort_out(text, std::move(lexed));
  auto out = std::make_shared<MysqlReading>(std::move(sorted.reading));
  if (sorted.query.text.empty()) return out;
  std::vector<Literal> placed;
  if (literals != nullptr) {
    for (Literal& l : *literals) l.seen = true;  // what is not written makes no difference …
    for (const Place& place : sorted.query.places) {
      Literal& l = (*literals)[static_cast<std::size_t>(place.literal) - 1];
      l.seen = false;  // … what is must be found in the tree
      placed.push_back(l);
      placed.back().at = place.at;
      placed.back().minus_at = place.minus_at;
    }
  }
  auto reading = read_afresh(sorted.query.text, {.literals = literals == nullptr ? nullptr : &placed, .loose_grouping = true});
  if (!reading) {
    refuse(*out, reading.error().code == Errc::kInvalid ? "the statement has no counterpart in PostgreSQL's SQL, which Tocsin reads"
                                                        : reading.error().message);
    return out;
  }
  for (Statement& s : reading->statements) {
    strip(s);
    s.to_file = out->outfile;
    s.query.loose = sorted.query.loose;
  }
  if (literals != nullptr) {
    std::vector<int> numbers;
    for (std::size_t i = 0; i < placed.size(); ++i) {
      numbers.push_back(sorted.query.places[i].literal);
      Literal& l = (*literals)[static_cast<std::size_t>(numbers.back()) - 1];
      l.seen = placed[i].seen;
      l.pinned = placed[i].pinned;
    }
    renumber(*reading, numbers);
  }
  out->reading = std::make_shared<const Reading>(std::move(*reading));
  return out;
}

using Held = std::shared_ptr<const MysqlReading>;

Held bound(const Held& held, const std::vector<Literal>& literals) {
  if (literals.empty() || held->reading == nullptr) return held;
  auto out = std::make_shared<MysqlReading>(*held);
  out->reading = std::make_shared<const Reading>(bind(*held->reading, literals));
  return out;
}

}  // namespace

std::shared_ptr<const MysqlReading> read_mysql(std::string_view text) {
  if (text.size() > kMaxCachedBytes) {
    count_use(false);
    return read_mysql_afresh(text);
  }
  thread_local ShapeCache<Held, decltype(&bound)> cache(kCachedReadings, kMaxCacheBytes, &bound);
  thread_local Shape shape;
  Lexed lexed = lex(text);
  const bool has_shape = shape_of_tokens(text, lexed, shape);
  if (has_shape) {
    if (const Held* known = cache.find(shape)) {
      count_use(true);
      return *known;
    }
  }
  const Shape whole = whole_text(text);
  if (const Held* known = cache.find(whole)) {
    count_use(true);
    return *known;
  }
  count_use(false);
  Held fresh = read_new(text, std::move(lexed), has_shape ? &shape.literals : nullptr);
  const std::size_t bytes = sizeof(MysqlReading) + (fresh->reading ? footprint(*fresh->reading) : 0);
  const Shape& as = has_shape && fresh->reading ? shape : whole;
  return cache.add(as, std::move(fresh), bytes);
}

std::shared_ptr<const MysqlReading> read_mysql_afresh(std::string_view text) { return read_new(text, lex(text), nullptr); }

std::string from_mysql(std::string_view text) { return sort_out(text, lex(text)).query.text; }

}  // namespace tocsin::engine::sql
