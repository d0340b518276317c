// A lexer, a list of rewritings over its tokens, and PostgreSQL's parser behind them. Every rewriting must keep the
// rows that reach the client or let more through; the rules are in ops/docs/exposure.md.
#include "engine/sql/mysql.hpp"

#include <algorithm>
#include <list>
#include <set>
#include <unordered_map>
#include <utility>

#include "rules/base/text.hpp"

namespace tocsin::engine::sql {
namespace {

constexpr std::size_t kMaxTokens = 100'000;

struct Token {
  enum class Kind : std::uint8_t { kWord, kName, kString, kNumber, kParameter, kVariable, kSign };
  Kind kind;
  std::string text;  // words and names folded; strings decoded; signs as they are
};
using Tokens = std::vector<Token>;
using TokenKind = Token::Kind;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' || (static_cast<unsigned char>(c) & 0x80U) != 0;
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// ---------------------------------------------------------------------------------------- tokens

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}
  bool dump = false;

  // False: a string, name or comment that does not end, a comment whose execution depends on the server's version.
  bool run(Tokens& out) {
    while (at_ < text_.size()) {
      if (out.size() > kMaxTokens) return false;
      if (!one(out)) return false;
    }
    return versioned_ == 0;
  }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  bool one(Tokens& out) {
    const char c = peek();
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v') {
      ++at_;
      return true;
    }
    if (c == '\0') return false;
    if (c == '#' || (c == '-' && peek(1) == '-' && (at_ + 2 >= text_.size() || static_cast<unsigned char>(peek(2)) <= ' '))) {
      at_ = std::min(text_.find('\n', at_), text_.size());
      return true;
    }
    if (c == '/' && peek(1) == '*') return comment();
    if (c == '*' && peek(1) == '/' && versioned_ > 0) {
      --versioned_;
      at_ += 2;
      return true;
    }
    if (c == '`') return name(out);
    if (c == '\'' || c == '"') return string(out, c);
    if (is_digit(c) || (c == '.' && is_digit(peek(1)) && !after_name(out))) return number(out);
    if (is_letter(c)) return word(out);
    if (c == '?') return put(out, TokenKind::kParameter, "?", 1);
    if (c == '@') return variable(out);
    for (const std::string_view sign : {"<=>", "->>", "<=", ">=", "<>", "!=", ":=", "||", "&&", "<<", ">>", "->"}) {
      if (text_.substr(at_).starts_with(sign)) return put(out, TokenKind::kSign, std::string(sign), sign.size());
    }
    return put(out, TokenKind::kSign, std::string(1, c), 1);
  }

  static bool after_name(const Tokens& out) {
    return !out.empty() && (out.back().kind == TokenKind::kName || out.back().kind == TokenKind::kWord);
  }

  bool put(Tokens& out, TokenKind kind, std::string text, std::size_t length) {
    out.push_back({kind, std::move(text)});
    at_ += length;
    return true;
  }

  // "/*!40001 SQL_NO_CACHE */" is executed by every server of that version; from 5.7 on MySQL and MariaDB part
  // company, so what such a comment does is not known. MariaDB's own "/*M!" counts as executed.
  bool comment() {
    std::string_view rest = text_.substr(at_ + 2);
    const bool executed = rest.starts_with("!"), own = rest.starts_with("M!");
    if (!executed && !own) {
      const std::size_t end = text_.find("*/", at_ + 2);
      if (end == std::string_view::npos) return false;
      at_ = end + 2;
      return true;
    }
    rest.remove_prefix(executed ? 1 : 2);
    std::size_t digits = 0;
    while (digits < rest.size() && is_digit(rest[digits])) ++digits;
    constexpr int kParting = 50700, kOldestMariaDb = 100300;
    const int version = digits == 0 || digits > 6 ? 0 : std::stoi(std::string(rest.substr(0, digits)));
    if (digits > 6) return false;
    if (executed && version >= kParting) return false;
    if (own && version > kOldestMariaDb) return false;
    if (executed && version == 40001 && trim(rest.substr(digits)).starts_with("SQL_NO_CACHE")) dump = true;
    at_ += 2 + (executed ? 1U : 2U) + digits;
    ++versioned_;
    return true;
  }

  bool name(Tokens& out) {
    std::string text;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] != '`') {
        text += text_[at_];
      } else if (peek(1) == '`') {
        text += '`';
        ++at_;
      } else {
        ++at_;
        out.push_back({TokenKind::kName, to_lower(text)});
        return true;
      }
    }
    return false;
  }

  bool string(Tokens& out, char quote) {
    std::string text;
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '\\') {
        if (++at_ >= text_.size()) return false;
        escape(text, text_[at_]);
      } else if (c != quote) {
        text += c;
      } else if (peek(1) == quote) {
        text += quote;
        ++at_;
      } else {
        ++at_;
        const bool follows = !out.empty() && out.back().kind == TokenKind::kString;
        if (follows) out.back().text += text;  // 'a' 'b' is one string
        else out.push_back({TokenKind::kString, std::move(text)});
        return text.find('\0') == std::string::npos;
      }
    }
    return false;
  }

  static void escape(std::string& text, char c) {
    switch (c) {
      case 'n': text += '\n'; return;
      case 't': text += '\t'; return;
      case 'r': text += '\r'; return;
      case 'b': text += '\b'; return;
      case '0': text += '\0'; return;
      case 'Z': text += '\x1a'; return;
      case '%':
      case '_': text += '\\'; break;  // kept for LIKE
      default: break;
    }
    text += c;
  }

  bool number(Tokens& out) {
    std::size_t end = at_;
    const auto digits = [&] {
      while (end < text_.size() && is_digit(text_[end])) ++end;
    };
    if (text_[at_] == '0' && (peek(1) == 'x' || peek(1) == 'b')) {
      end = at_ + 2;
      while (end < text_.size() && std::isxdigit(static_cast<unsigned char>(text_[end])) != 0) ++end;
      if (end >= text_.size() || !is_letter(text_[end])) {
        at_ = end;
        out.push_back({TokenKind::kVariable, "hex"});
        return true;
      }
    }
    end = at_;
    digits();
    if (end < text_.size() && text_[end] == '.') {
      ++end;
      digits();
    }
    if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
      std::size_t after = end + 1;
      if (after < text_.size() && (text_[after] == '+' || text_[after] == '-')) ++after;
      if (after < text_.size() && is_digit(text_[after])) {
        end = after;
        digits();
      }
    }
    if (end < text_.size() && is_letter(text_[end])) return false;  // a name that begins with a digit
    out.push_back({TokenKind::kNumber, std::string(text_.substr(at_, end - at_))});
    at_ = end;
    return true;
  }

  bool word(Tokens& out) {
    std::size_t end = at_;
    while (end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]))) ++end;
    const std::string_view text = text_.substr(at_, end - at_);
    if (end < text_.size() && text_[end] == '\'') {
      // x'4D', b'01': bytes. _utf8'…', N'…': the string itself.
      if (iequals(text, "x") || iequals(text, "b")) {
        at_ = end;
        Tokens bytes;
        if (!string(bytes, '\'')) return false;
        out.push_back({TokenKind::kVariable, "hex"});
        return true;
      }
      if (text.starts_with('_') || iequals(text, "n")) {
        at_ = end;
        return true;
      }
    }
    out.push_back({TokenKind::kWord, to_lower(text)});
    at_ = end;
    return true;
  }

  // @a, @`a b`, @@session.sql_mode: values that the text does not show.
  bool variable(Tokens& out) {
    std::size_t end = at_;
    while (end < text_.size() && text_[end] == '@') ++end;
    at_ = end;
    Tokens inner;
    if (peek() == '`') {
      if (!name(inner)) return false;
    } else if (peek() == '\'' || peek() == '"') {
      if (!string(inner, peek())) return false;
    } else {
      while (end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]) || text_[end] == '.')) ++end;
      inner.push_back({TokenKind::kName, to_lower(text_.substr(at_, end - at_))});
      at_ = end;
    }
    out.push_back({TokenKind::kVariable, inner.empty() ? "" : inner.front().text});
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int versioned_ = 0;
};

// ---------------------------------------------------------------------------------------- rewriting

class Rewriter {
 public:
  explicit Rewriter(Tokens tokens) : t_(std::move(tokens)) {}

  bool outfile = false;
  bool for_update = false;

  // The tokens of one statement as PostgreSQL text.
  std::string run() {
    selects();
    shape();
    return written();
  }

  bool is(std::size_t i, std::string_view word) const {
    return i < t_.size() && t_[i].kind == TokenKind::kWord && t_[i].text == word;
  }
  bool sign(std::size_t i, std::string_view text) const {
    return i < t_.size() && t_[i].kind == TokenKind::kSign && t_[i].text == text;
  }

 private:
  void cut(std::size_t from, std::size_t to) {
    t_.erase(t_.begin() + static_cast<std::ptrdiff_t>(from), t_.begin() + static_cast<std::ptrdiff_t>(std::min(to, t_.size())));
  }
  void insert(std::size_t at, std::initializer_list<std::string_view> words) {
    Tokens fresh;
    for (const std::string_view w : words) {
      const bool letters = is_letter(w.front());
      fresh.push_back({letters ? TokenKind::kWord : is_digit(w.front()) ? TokenKind::kNumber : TokenKind::kSign, std::string(w)});
    }
    t_.insert(t_.begin() + static_cast<std::ptrdiff_t>(at), fresh.begin(), fresh.end());
  }
  void sub(std::size_t i, TokenKind kind, std::string text) { t_[i] = {kind, std::move(text)}; }
  bool name_like(std::size_t i) const {
    return i < t_.size() && (t_[i].kind == TokenKind::kWord || t_[i].kind == TokenKind::kName);
  }
  // Past the bracket that opens at `i`.
  std::size_t past(std::size_t i) const {
    int depth = 0;
    for (; i < t_.size(); ++i) {
      if (sign(i, "(")) ++depth;
      if (sign(i, ")") && --depth == 0) return i + 1;
    }
    return t_.size();
  }
  // The first place from `i` where one of `words` stands outside brackets; size() if none does.
  std::size_t find(std::size_t i, std::initializer_list<std::string_view> words) const {
    int depth = 0;
    for (; i < t_.size(); ++i) {
      if (sign(i, "(")) ++depth;
      if (sign(i, ")")) --depth;
      if (depth != 0 || t_[i].kind != TokenKind::kWord || (i > 0 && sign(i - 1, "."))) continue;
      for (const std::string_view w : words) {
        if (t_[i].text == w) return i;
      }
    }
    return t_.size();
  }

  // What may stand anywhere in a query.
  void selects() {
    static const std::set<std::string_view> kModifiers = {
        "sql_no_cache", "sql_cache", "sql_calc_found_rows", "sql_big_result", "sql_small_result", "sql_buffer_result",
        "high_priority", "straight_join"};
    for (std::size_t i = 0; i < t_.size(); ++i) {
      if (t_[i].kind == TokenKind::kSign) {
        operators(i);
        continue;
      }
      if (t_[i].kind != TokenKind::kWord) continue;
      const bool member = i > 0 && sign(i - 1, ".");
      if (member) continue;
      if (is(i, "select") || is(i, "distinct") || is(i, "all")) {
        while (i + 1 < t_.size() && t_[i + 1].kind == TokenKind::kWord && kModifiers.count(t_[i + 1].text) > 0) cut(i + 1, i + 2);
        if (is(i + 1, "distinctrow")) t_[i + 1].text = "distinct";
      } else if (is(i, "straight_join")) {
        t_[i].text = "join";
      } else if (is(i, "from") && is(i + 1, "dual")) {
        cut(i, i + 2);
      } else if ((is(i, "use") || is(i, "force") || is(i, "ignore")) && (is(i + 1, "index") || is(i + 1, "key"))) {
        hint(i);
      } else if (is(i, "partition") && sign(i + 1, "(") && i > 0 && name_like(i - 1)) {
        cut(i, past(i + 1));
        --i;
      } else if (is(i, "lock") && is(i + 1, "in") && is(i + 2, "share") && is(i + 3, "mode")) {
        cut(i, i + 4);
        --i;
      } else if (is(i, "for") && is(i + 1, "update")) {
        for_update = true;
      } else if (is(i, "limit")) {
        limit(i);
      } else if (is(i, "into") && i > 0 && (is(i + 1, "outfile") || is(i + 1, "dumpfile") || variable(i + 1))) {
        into(i);
        --i;
      } else if (is(i, "interval")) {
        interval(i);
      } else if (is(i, "separator") && i + 1 < t_.size() && t_[i + 1].kind == TokenKind::kString) {
        cut(i, i + 2);
        --i;
      } else if (is(i, "binary") && i > 0 && !is(i - 1, "as") && i + 1 < t_.size() && !sign(i + 1, "(") && !sign(i + 1, ")") &&
                 !sign(i + 1, ",")) {
        cut(i, i + 1);
        --i;
      } else if (is(i, "rlike") || is(i, "regexp")) {
        if (i > 0 && is(i - 1, "not")) {
          cut(i - 1, i);
          --i;
        }
        sub(i, TokenKind::kSign, "~");
      } else if (is(i, "div")) {
        if (i > 0 && !sign(i + 1, "(")) sub(i, TokenKind::kSign, "/");
      } else if (is(i, "mod")) {
        if (!sign(i + 1, "(")) sub(i, TokenKind::kSign, "%");
      } else if ((is(i, "true") || is(i, "false")) && !(i > 0 && (is(i - 1, "is") || (is(i - 1, "not") && i > 1 && is(i - 2, "is"))))) {
        sub(i, TokenKind::kNumber, is(i, "true") ? "1" : "0");
      } else if (is(i, "xor")) {
        t_[i].text = "or";  // holds for fewer rows than OR
      } else if (is(i, "name_const") && sign(i + 1, "(") && sign(i + 3, ",")) {
        constant(i);
      }
    }
  }

  // NAME_CONST('i', 42): what a procedure's variable held.
  void constant(std::size_t i) {
    const std::size_t end = past(i + 1);
    cut(end - 1, end);
    cut(i, i + 4);
  }

  bool variable(std::size_t i) const { return i < t_.size() && t_[i].kind == TokenKind::kVariable; }

  void operators(std::size_t i) {
    if (sign(i, "&&")) sub(i, TokenKind::kWord, "and");
    else if (sign(i, "||")) sub(i, TokenKind::kWord, "or");
    else if (sign(i, "!")) sub(i, TokenKind::kWord, "not");
    else if (sign(i, "<=>")) {
      sub(i, TokenKind::kWord, "is");
      insert(i + 1, {"not", "distinct", "from"});
    }
  }

  // USE INDEX [FOR JOIN] (a, b)
  void hint(std::size_t& i) {
    std::size_t end = i + 2;
    if (is(end, "for")) {
      while (end < t_.size() && !sign(end, "(")) ++end;
    }
    if (!sign(end, "(")) return;
    cut(i, past(end));
    --i;
  }

  // LIMIT a, b = LIMIT b OFFSET a
  void limit(std::size_t i) {
    if (!sign(i + 2, ",") || i + 3 >= t_.size()) return;
    std::swap(t_[i + 1], t_[i + 3]);
    sub(i + 2, TokenKind::kWord, "offset");
  }

  // INTO OUTFILE 'f' …, INTO DUMPFILE 'f', INTO @a, @b
  void into(std::size_t i) {
    std::size_t end = i + 1;
    if (variable(end)) {
      ++end;
      while (sign(end, ",") && variable(end + 1)) end += 2;
      cut(i, end);
      return;
    }
    outfile = true;
    end += 2;
    static const std::set<std::string_view> kWords = {"character", "set",    "fields", "columns", "terminated", "optionally", "enclosed",
                                                      "escaped",   "lines",  "starting", "by", "charset"};
    while (end < t_.size()) {
      const bool option = t_[end].kind == TokenKind::kWord && kWords.count(t_[end].text) > 0;
      const bool value = (t_[end].kind == TokenKind::kString && is(end - 1, "by")) || (name_like(end) && is(end - 1, "set"));
      if (!option && !value) break;
      ++end;
    }
    cut(i, end);
  }

  // INTERVAL 7 DAY is a constant here.
  void interval(std::size_t i) {
    std::size_t end = i + 1;
    if (sign(end, "-")) ++end;
    if (end + 1 >= t_.size() || t_[end].kind == TokenKind::kSign || t_[end + 1].kind != TokenKind::kWord) return;
    cut(i + 1, end + 2);
    sub(i, TokenKind::kVariable, "interval");
  }

  // What belongs to one kind of statement.
  void shape() {
    std::size_t first = 0;
    if (is(0, "with")) first = find(0, {"select", "insert", "replace", "update", "delete"});
    if (is(first, "insert") || is(first, "replace")) insertion(first);
    else if (is(first, "update") || is(first, "delete")) modification(first);
    else if (is(0, "create")) creation();
    else if (is(0, "alter") && is_view(0)) creation();
    else if (is(0, "alter") && is(1, "table")) alteration();
    else if (is(0, "rename") && is(1, "table")) renaming();
    else if (is(0, "drop") && is(1, "temporary")) cut(1, 2);
    else if (is(0, "start") && is(1, "transaction")) t_.resize(2);
    else if (is(0, "begin")) t_.resize(1);
    else if (is(0, "commit") || (is(0, "rollback") && !is(1, "to") && !is(2, "to"))) t_.resize(1);
  }

  bool skip_modifiers(std::size_t at) {
    bool any = false;
    while (is(at, "low_priority") || is(at, "delayed") || is(at, "high_priority") || is(at, "ignore") || is(at, "quick")) {
      cut(at, at + 1);
      any = true;
    }
    return any;
  }

  void insertion(std::size_t i) {
    bool upsert = is(i, "replace");
    t_[i].text = "insert";
    skip_modifiers(i + 1);
    if (!is(i + 1, "into")) insert(i + 1, {"into"});
    for (std::size_t k = i; k < t_.size(); ++k) {
      if (is(k, "value") && sign(k + 1, "(")) t_[k].text = "values";
    }
    // INSERT INTO t SET a = 1, b = 2
    std::size_t target = i + 2;
    while (target < t_.size() && (name_like(target) || sign(target, ".")) && !is(target, "set")) ++target;
    if (is(target, "set")) {
      Tokens columns, values;
      std::size_t k = target + 1;
      const std::size_t end = find(k, {"on", "returning"});
      while (k < end) {
        while (sign(k + 1, ".")) k += 2;
        columns.push_back(t_[k]);
        if (!sign(k + 1, "=")) return;  // the parser will refuse it
        k += 2;
        int depth = 0;
        while (k < end && !(depth == 0 && sign(k, ","))) {
          if (sign(k, "(")) ++depth;
          if (sign(k, ")")) --depth;
          values.push_back(t_[k++]);
        }
        if (k < end) {
          columns.push_back(t_[k]);
          values.push_back(t_[k++]);
        }
      }
      Tokens out(t_.begin(), t_.begin() + static_cast<std::ptrdiff_t>(target));
      out.push_back({TokenKind::kSign, "("});
      out.insert(out.end(), columns.begin(), columns.end());
      out.push_back({TokenKind::kSign, ")"});
      out.push_back({TokenKind::kWord, "values"});
      out.push_back({TokenKind::kSign, "("});
      out.insert(out.end(), values.begin(), values.end());
      out.push_back({TokenKind::kSign, ")"});
      out.insert(out.end(), t_.begin() + static_cast<std::ptrdiff_t>(end), t_.end());
      t_ = std::move(out);
    }
    const std::size_t on = duplicate_key(i);
    if (on < t_.size()) {
      upsert = true;
      cut(on, find(on, {"returning"}));
    }
    if (upsert) insert(std::min(find(i, {"returning"}), t_.size()), {"on", "conflict", "(", "k", ")", "do", "update", "set", "k", "=", "1"});
  }

  std::size_t duplicate_key(std::size_t i) const {
    for (std::size_t on = find(i, {"on"}); on < t_.size(); on = find(on + 1, {"on"})) {
      if (is(on + 1, "duplicate")) return on;
    }
    return t_.size();
  }

  // ORDER BY and LIMIT only make a write smaller; t.a = 1 in SET is a = 1.
  void modification(std::size_t i) {
    const bool update = is(i, "update");
    skip_modifiers(i + 1);
    const std::size_t order = find(i, {"order", "limit"});
    if (order < t_.size()) cut(order, find(order, {"returning"}));
    if (!update) return;
    const std::size_t set = find(i, {"set"});
    const std::size_t where = find(set, {"where", "returning"});
    int depth = 0;
    for (std::size_t k = set; k + 3 < std::min(where, t_.size()); ++k) {
      if (sign(k, "(")) ++depth;
      if (sign(k, ")")) --depth;
      if (depth == 0 && (k == set || sign(k, ",")) && name_like(k + 1) && sign(k + 2, ".") && name_like(k + 3)) cut(k + 1, k + 3);
    }
  }

  bool is_view(std::size_t i) const {
    const std::size_t view = find(i, {"view"}), stop = find(i, {"as", "table", "select", "function", "procedure", "trigger", "event"});
    return view < t_.size() && view < stop;
  }

  void creation() {
    if (is_view(0)) {
      // ALGORITHM, DEFINER, SQL SECURITY, IF NOT EXISTS; WITH CHECK OPTION at the end
      std::size_t view = find(0, {"view"});
      std::size_t name = view + 1;
      while (is(name, "if") || is(name, "not") || is(name, "exists")) ++name;
      cut(0, name);
      insert(0, {"create", "or", "replace", "view"});
      const std::size_t check = find(4, {"with"});
      for (std::size_t k = check; k < t_.size(); ++k) {
        if (is(k, "with") && (is(k + 1, "check") || is(k + 1, "cascaded") || is(k + 1, "local"))) t_.resize(k);
      }
      return;
    }
    std::size_t i = 1;
    if (is(i, "or") && is(i + 1, "replace")) cut(i, i + 2);
    if (is(i, "temporary")) cut(i, i + 1);
    if (!is(i, "table")) return;
    if (is(i + 1, "if")) cut(i + 1, i + 4);
    std::size_t name = i + 1;
    std::size_t after = name + 1;
    while (sign(after, ".")) after += 2;
    if (is(after, "like")) {
      insert(after, {"("});
      insert(t_.size(), {")"});
      return;
    }
    std::size_t query = find(after, {"select", "with", "values"});
    std::size_t definitions = after;
    const bool bracketed_query = sign(after, "(") && (is(after + 1, "select") || is(after + 1, "with"));
    if (bracketed_query) query = after;
    if (query < t_.size()) {
      Tokens out(t_.begin(), t_.begin() + static_cast<std::ptrdiff_t>(after));
      out.push_back({TokenKind::kWord, "as"});
      out.insert(out.end(), t_.begin() + static_cast<std::ptrdiff_t>(query), t_.end());
      t_ = std::move(out);
      return;
    }
    if (!sign(definitions, "(")) return;
    columns(definitions);
  }

  // (id int(11) unsigned not null, key (a)) → (id text)
  void columns(std::size_t open) {
    static const std::set<std::string_view> kNotColumns = {"primary", "key",     "unique", "index",  "constraint", "fulltext",
                                                           "spatial", "foreign", "check",  "period", "like"};
    const std::size_t end = past(open);
    Tokens out(t_.begin(), t_.begin() + static_cast<std::ptrdiff_t>(open) + 1);
    bool begins = true;
    int depth = 0;
    for (std::size_t k = open + 1; k + 1 < end; ++k) {
      if (begins && name_like(k) && !(t_[k].kind == TokenKind::kWord && kNotColumns.count(t_[k].text) > 0)) {
        if (out.back().text != "(") out.push_back({TokenKind::kSign, ","});
        out.push_back({TokenKind::kName, t_[k].text});
        out.push_back({TokenKind::kWord, "text"});
      }
      begins = false;
      if (sign(k, "(")) ++depth;
      if (sign(k, ")")) --depth;
      if (depth == 0 && sign(k, ",")) begins = true;
    }
    out.push_back({TokenKind::kSign, ")"});
    t_ = std::move(out);
  }

  void alteration() {
    const std::size_t to = find(2, {"rename"});
    if (to >= t_.size() || is(to + 1, "column") || is(to + 1, "index") || is(to + 1, "key")) return;
    std::size_t name = to + 1;
    if (is(name, "to") || is(name, "as")) ++name;
    while (sign(name + 1, ".")) name += 2;  // the new database
    if (name >= t_.size()) return;
    Tokens out(t_.begin(), t_.begin() + 2);
    std::size_t k = 2;
    if (is(k, "if")) k += 2;
    while (k < to && (name_like(k) || sign(k, "."))) out.push_back(t_[k++]);
    out.push_back({TokenKind::kWord, "rename"});
    out.push_back({TokenKind::kWord, "to"});
    out.push_back(t_[name]);
    t_ = std::move(out);
  }

  // RENAME TABLE a TO b, c TO d
  void renaming() {
    Tokens out;
    std::size_t k = 2;
    while (k < t_.size()) {
      if (!out.empty()) out.push_back({TokenKind::kSign, ";"});
      out.push_back({TokenKind::kWord, "alter"});
      out.push_back({TokenKind::kWord, "table"});
      while (k < t_.size() && !is(k, "to")) out.push_back(t_[k++]);
      out.push_back({TokenKind::kWord, "rename"});
      out.push_back({TokenKind::kWord, "to"});
      ++k;
      while (sign(k + 1, ".")) k += 2;
      if (k < t_.size()) out.push_back(t_[k++]);
      if (k < t_.size() && !sign(k, ",")) break;
      ++k;
    }
    t_ = std::move(out);
  }

  std::string written() const {
    std::string out;
    int parameter = 0;
    for (const Token& token : t_) {
      if (!out.empty()) out += ' ';
      switch (token.kind) {
        case TokenKind::kWord: out += token.text; break;
        case TokenKind::kName:
          out += '"';
          for (const char c : token.text) out.append(c == '"' ? 2U : 1U, c);
          out += '"';
          break;
        case TokenKind::kString:
          // E'…' so that a backslash stays one whatever the parser's settings are.
          out += "E'";
          for (const char c : token.text) out.append(c == '\'' || c == '\\' ? 2U : 1U, c);
          out += '\'';
          break;
        case TokenKind::kNumber: out += token.text; break;
        case TokenKind::kParameter: out += '$' + std::to_string(++parameter); break;
        case TokenKind::kVariable: out += "now()"; break;  // some value, of no column
        case TokenKind::kSign: out += token.text; break;
      }
    }
    return out;
  }

  Tokens t_;
};

// ---------------------------------------------------------------------------------------- what it is

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
  std::string text;  // for the parser; empty = nothing to parse
};

void refuse(MysqlReading& r, std::string reason) {
  r.kind = MysqlKind::kRefused;
  r.reason = std::move(reason);
}

Sorted sort_out(std::string_view text) {
  Sorted out;
  MysqlReading& r = out.reading;
  if (text.size() > kMaxStatementBytes) {
    refuse(r, "the statement is longer than " + std::to_string(kMaxStatementBytes) + " bytes");
    return out;
  }
  Tokens tokens;
  Lexer lexer(text);
  const bool complete = lexer.run(tokens);
  r.target = target_of(tokens);
  if (!complete) {
    refuse(r, "the statement is not complete, or what it does depends on the server's version");
    return out;
  }
  while (!tokens.empty() && tokens.back().kind == TokenKind::kSign && tokens.back().text == ";") tokens.pop_back();
  std::size_t bracket = 0;
  while (bracket < tokens.size() && tokens[bracket].kind == TokenKind::kSign && tokens[bracket].text == "(") ++bracket;
  if (bracket >= tokens.size() || tokens[bracket].kind != TokenKind::kWord) return out;
  const auto word = [&](std::size_t i) { return i < tokens.size() && tokens[i].kind == TokenKind::kWord ? std::string_view(tokens[i].text) : std::string_view(); };
  const std::string_view first = word(bracket), second = word(bracket + 1);
  r.dump = lexer.dump;

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
  Rewriter rewriter(std::move(tokens));
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
  out.text = rewriter.run();
  r.outfile = rewriter.outfile;
  r.for_update = rewriter.for_update;
  return out;
}

class Cache {
 public:
  using Entry = std::pair<std::string, std::shared_ptr<const MysqlReading>>;
  const Entry* find(std::string_view text) {
    const auto found = by_text_.find(text);
    if (found == by_text_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return &*found->second;
  }
  void add(std::string_view text, std::shared_ptr<const MysqlReading> reading) {
    entries_.emplace_front(std::string(text), std::move(reading));
    by_text_.emplace(std::string_view(entries_.front().first), entries_.begin());
    if (entries_.size() <= kCachedReadings) return;
    by_text_.erase(std::string_view(entries_.back().first));
    entries_.pop_back();
  }

 private:
  std::list<Entry> entries_;
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_text_;
};

std::shared_ptr<const MysqlReading> read_new(std::string_view text) {
  Sorted sorted = sort_out(text);
  MysqlReading out = std::move(sorted.reading);
  if (!sorted.text.empty()) {
    auto reading = read_afresh(sorted.text, {.loose_grouping = true});
    if (reading) {
      for (Statement& s : reading->statements) {
        strip(s);
        s.to_file = out.outfile;
      }
      out.reading = std::make_shared<const Reading>(std::move(*reading));
    } else {
      refuse(out, reading.error().code == Errc::kInvalid ? "the statement has no counterpart in PostgreSQL's SQL, which Tocsin reads"
                                                         : reading.error().message);
    }
  }
  return std::make_shared<const MysqlReading>(std::move(out));
}

}  // namespace

std::shared_ptr<const MysqlReading> read_mysql(std::string_view text) {
  thread_local Cache cache;
  if (const Cache::Entry* known = cache.find(text)) return known->second;
  auto fresh = read_new(text);
  if (text.size() <= kMaxCachedBytes) cache.add(text, fresh);
  return fresh;
}

std::string from_mysql(std::string_view text) { return sort_out(text).text; }

}  // namespace tocsin::engine::sql
