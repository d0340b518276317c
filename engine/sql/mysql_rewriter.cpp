// A list of rewritings over the tokens: first what may stand anywhere in a query, then what belongs to one kind of statement.
#include "engine/sql/mysql_rewriter.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace tocsin::engine::sql::mysql {
namespace {

class Rewriter {
 public:
  explicit Rewriter(Tokens tokens) : t_(std::move(tokens)) {}

  // The tokens of one statement as PostgreSQL text.
  Rewritten run() {
    selects();
    shape();
    Rewritten out;
    out.text = written();
    out.places = std::move(places_);
    out.outfile = outfile_;
    out.for_update = for_update_;
    out.loose = loose_;
    return out;
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
      fresh.push_back({letters ? TokenKind::kWord : is_digit(w.front()) ? TokenKind::kNumber : TokenKind::kSign, std::string(w), 0});
    }
    t_.insert(t_.begin() + static_cast<std::ptrdiff_t>(at), fresh.begin(), fresh.end());
  }
  void sub(std::size_t i, TokenKind kind, std::string text) { t_[i] = {kind, std::move(text), 0}; }
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
        loose_ = true;
      } else if (is(i, "lock") && is(i + 1, "in") && is(i + 2, "share") && is(i + 3, "mode")) {
        cut(i, i + 4);
        --i;
      } else if (is(i, "for") && is(i + 1, "update")) {
        for_update_ = true;
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
        loose_ = true;
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
    else if (sign(i, "!")) {
      sub(i, TokenKind::kWord, "not");
      loose_ = true;  // it binds closer than NOT
    }
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
    outfile_ = true;
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
      out.push_back({TokenKind::kSign, "(", 0});
      out.insert(out.end(), columns.begin(), columns.end());
      out.push_back({TokenKind::kSign, ")", 0});
      out.push_back({TokenKind::kWord, "values", 0});
      out.push_back({TokenKind::kSign, "(", 0});
      out.insert(out.end(), values.begin(), values.end());
      out.push_back({TokenKind::kSign, ")", 0});
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
      out.push_back({TokenKind::kWord, "as", 0});
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
        if (out.back().text != "(") out.push_back({TokenKind::kSign, ",", 0});
        out.push_back({TokenKind::kName, t_[k].text, 0});
        out.push_back({TokenKind::kWord, "text", 0});
      }
      begins = false;
      if (sign(k, "(")) ++depth;
      if (sign(k, ")")) --depth;
      if (depth == 0 && sign(k, ",")) begins = true;
    }
    out.push_back({TokenKind::kSign, ")", 0});
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
    out.push_back({TokenKind::kWord, "rename", 0});
    out.push_back({TokenKind::kWord, "to", 0});
    out.push_back(t_[name]);
    t_ = std::move(out);
  }

  // RENAME TABLE a TO b, c TO d
  void renaming() {
    Tokens out;
    std::size_t k = 2;
    while (k < t_.size()) {
      if (!out.empty()) out.push_back({TokenKind::kSign, ";", 0});
      out.push_back({TokenKind::kWord, "alter", 0});
      out.push_back({TokenKind::kWord, "table", 0});
      while (k < t_.size() && !is(k, "to")) out.push_back(t_[k++]);
      out.push_back({TokenKind::kWord, "rename", 0});
      out.push_back({TokenKind::kWord, "to", 0});
      ++k;
      while (sign(k + 1, ".")) k += 2;
      if (k < t_.size()) out.push_back(t_[k++]);
      if (k < t_.size() && !sign(k, ",")) break;
      ++k;
    }
    t_ = std::move(out);
  }

  std::string written() {
    std::string out;
    int parameter = 0;
    std::size_t minus_at = 0;  // of a minus that is the token before
    for (const Token& token : t_) {
      if (!out.empty()) out += ' ';
      if (token.literal > 0) places_.push_back({token.literal, out.size(), minus_at});
      minus_at = token.kind == TokenKind::kSign && token.text == "-" ? out.size() : 0;
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
  std::vector<Place> places_;
  bool outfile_ = false;
  bool for_update_ = false;
  bool loose_ = false;
};

}  // namespace

Rewritten rewrite(Tokens tokens) { return Rewriter(std::move(tokens)).run(); }

}  // namespace tocsin::engine::sql::mysql
