// The parser call, the cache, and the canonical text.
#include "engine/sql/reading.hpp"

#include <cstring>

#include <pg_query.h>

#include "engine/sql/bind.hpp"
#include "engine/sql/cache_counts.hpp"
#include "engine/sql/compile.hpp"
#include "engine/sql/shape.hpp"
#include "engine/sql/shape_cache.hpp"
#include "engine/sql/tree.hpp"

namespace tocsin::engine::sql {
namespace {

using Held = Result<std::shared_ptr<const Reading>>;  // an error is kept for its very text only

Held bound(const Held& held, const std::vector<Literal>& literals) {
  if (!held || literals.empty()) return held;
  return std::make_shared<const Reading>(bind(**held, literals));
}

// The parser's result, freed when it goes.
struct Parsed {
  PgQueryParseResult result;
  explicit Parsed(const char* text) : result(pg_query_parse(text)) {}
  ~Parsed() { pg_query_free_parse_result(result); }
  Parsed(const Parsed&) = delete;
  Parsed& operator=(const Parsed&) = delete;
};

const char* name(Kind kind) {
  switch (kind) {
    case Kind::kOther: return "other";
    case Kind::kSelect: return "select";
    case Kind::kInsert: return "insert";
    case Kind::kUpdate: return "update";
    case Kind::kDelete: return "delete";
    case Kind::kMerge: return "merge";
    case Kind::kCopyOut: return "copy-out";
    case Kind::kCopyIn: return "copy-in";
    case Kind::kDeclare: return "declare";
    case Kind::kFetch: return "fetch";
    case Kind::kMove: return "move";
    case Kind::kClose: return "close";
    case Kind::kPrepare: return "prepare";
    case Kind::kExecute: return "execute";
    case Kind::kDeallocate: return "deallocate";
    case Kind::kCreateAs: return "create-as";
    case Kind::kExplain: return "explain";
    case Kind::kSet: return "set";
    case Kind::kReset: return "reset";
    case Kind::kBegin: return "begin";
    case Kind::kCommit: return "commit";
    case Kind::kRollback: return "rollback";
    case Kind::kRollbackTo: return "rollback-to";
    case Kind::kCreateTable: return "create-table";
    case Kind::kCreateForeign: return "create-foreign";
    case Kind::kCreateView: return "create-view";
    case Kind::kDrop: return "drop";
    case Kind::kTruncate: return "truncate";
    case Kind::kCall: return "call";
    case Kind::kRename: return "rename";
    case Kind::kRefresh: return "refresh";
    case Kind::kAlterTable: return "alter table";
    case Kind::kRule: return "rule";
    case Kind::kDefaults: return "defaults";
  }
  return "other";
}

const char* name(Use use) {
  switch (use) {
    case Use::kNone: return "none";
    case Use::kStatistic: return "statistic";
    case Use::kExistence: return "existence";
    case Use::kValue: return "value";
    case Use::kRow: return "row";
    case Use::kCollected: return "collected";
  }
  return "none";
}

std::string text_of(const Value& v) {
  if (v.parameter > 0) return (v.array ? "any $" : "$") + std::to_string(v.parameter);
  if (!v.known) return "?";
  if (v.null) return "null";
  return v.array ? "any '" + v.text + "'" : "'" + v.text + "'";
}

std::string text_of(const Column& c) {
  std::string out;
  for (const int candidate : c.candidates) out += (out.empty() ? "" : "|") + std::to_string(candidate);
  return out + "." + c.name + (c.certain ? "" : "?");
}

std::string text_of(const Query& query, int at) {
  const Predicate& p = query.predicates[static_cast<std::size_t>(at)];
  switch (p.op) {
    case Op::kTrue: return "true";
    case Op::kSame: return text_of(p.column) + " = " + text_of(p.other);
    case Op::kIn: {
      std::string out = text_of(p.column) + " in (";
      for (std::size_t i = 0; i < p.values.size(); ++i) out += (i > 0 ? ", " : "") + text_of(p.values[i]);
      return out + ")";
    }
    case Op::kRange:
      return (p.low ? text_of(*p.low) + (p.low_open ? " < " : " <= ") : "") + text_of(p.column) +
             (p.high ? (p.high_open ? " < " : " <= ") + text_of(*p.high) : "");
    case Op::kNot: return "not " + text_of(query, p.args.front());
    case Op::kNull: return text_of(p.column) + " is null";
    case Op::kLike: return text_of(p.column) + (p.fold ? " ilike " : " like ") + text_of(p.values.front());
    case Op::kFalse: return "false";
    case Op::kAnd:
    case Op::kOr: {
      std::string out = "(";
      for (std::size_t i = 0; i < p.args.size(); ++i) {
        out += (i > 0 ? (p.op == Op::kAnd ? " and " : " or ") : "") + text_of(query, p.args[i]);
      }
      return out + ")";
    }
  }
  return "";
}

}  // namespace

bool Relation::is_catalog() const {
  return schema == "pg_catalog" || schema == "information_schema" || schema == "pg_toast" ||
         (schema.empty() && name.starts_with("pg_"));
}

std::string Relation::text() const { return schema.empty() || schema == "public" ? name : schema + "." + name; }

bool Column::may_be(int source, std::string_view column) const {
  if (name != column && name != "*") return false;
  for (const int candidate : candidates) {
    if (candidate == source) return true;
  }
  return false;
}

Result<Reading> read_afresh(std::string_view text, ReadOptions options) {
  if (text.size() > kMaxStatementBytes) {
    return fail(Errc::kTooLarge, "the statement is longer than " + std::to_string(kMaxStatementBytes) + " bytes");
  }
  if (text.find('\0') != std::string_view::npos) return fail(Errc::kInvalid, "the statement holds a zero byte");
  const std::string zero_ended(text);
  const Parsed parsed(zero_ended.c_str());
  if (parsed.result.error != nullptr) {
    // The parser's message quotes the text ("at or near …"), which may be personal: only its place is kept.
    return fail(Errc::kInvalid, "PostgreSQL's parser does not accept the statement (at character " +
                                    std::to_string(parsed.result.error->cursorpos) + ")");
  }
  thread_local simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(parsed.result.parse_tree, std::strlen(parsed.result.parse_tree)).get(root) != simdjson::SUCCESS) {
    return fail(Errc::kTooLarge, "the statement is nested too deeply");
  }
  if (options.literals != nullptr) see_constants(Tree(root), *options.literals);
  Reading reading;
  std::optional<Error> error;
  Tree(root).items("stmts", [&](Tree item) {
    if (error) return;
    auto statement = compile(item.at("stmt"), text, options);
    if (!statement) {
      error = std::move(statement).error();
    } else {
      reading.statements.push_back(std::move(*statement));
    }
  });
  if (error) return tl::unexpected<Error>(std::move(*error));
  if (options.literals != nullptr) settle(reading, *options.literals);
  return reading;
}

Result<std::shared_ptr<const Reading>> read(std::string_view text) {
  const auto share = [](Result<Reading> fresh) -> Held {
    if (!fresh) return pass(std::move(fresh));
    return std::make_shared<const Reading>(std::move(*fresh));
  };
  if (text.size() > kMaxCachedBytes) {
    count_use(false);
    return share(read_afresh(text));
  }
  thread_local ShapeCache<Held, decltype(&bound)> cache(kCachedReadings, kMaxCacheBytes, &bound);
  thread_local Shape shape;
  const bool has_shape = shape_of(text, shape);
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
  auto fresh = share(read_afresh(text, {.literals = has_shape ? &shape.literals : nullptr}));
  const std::size_t bytes = fresh ? footprint(**fresh) : 0;
  const Shape& as = has_shape && fresh ? shape : whole;
  return cache.add(as, std::move(fresh), bytes);
}

std::string describe(const Reading& reading) {
  std::string out;
  for (const Statement& s : reading.statements) {
    out += name(s.kind);
    if (s.inner != s.kind) out += std::string(" ") + name(s.inner);
    if (!s.name.empty()) out += " " + s.name;
    if (!s.setting.empty()) out += "=" + s.setting;
    if (!s.target.name.empty()) out += " ->" + s.target.text();
    for (const std::string& c : s.target_columns) out += "," + c;
    for (const Relation& r : s.dropped) out += " " + r.text();
    for (const Value& v : s.arguments) out += " " + text_of(v);
    if (s.all) out += " all";
    else if (s.count > 0) out += " " + std::to_string(s.count);
    if (s.analyze) out += " analyze";
    if (s.to_program) out += " program";
    if (s.to_file) out += " file";
    if (s.query.limit) out += " limit " + std::to_string(*s.query.limit);
    if (s.query.one_to_one) out += " one-to-one";
    if (s.query.barrier) out += " barrier";
    if (s.query.aggregate) out += " aggregate";
    if (s.query.key_share) out += " key-share";
    out += '\n';
    for (std::size_t i = 0; i < s.query.sources.size(); ++i) {
      const Source& source = s.query.sources[i];
      out += "  " + std::to_string(i) + " " + source.relation.text() + " " + name(source.use);
      if (source.staged != Use::kNone) out += std::string(" staged-") + name(source.staged);
      if (source.written) out += " written";
      if (source.nullable) out += " nullable";
      if (source.merged) {
        out += " merged";
        for (const Column& c : source.group_by) out += " by " + text_of(c);
      }
      for (std::size_t c = 0; c < source.columns.size(); ++c) out += (c == 0 ? " " : ",") + source.columns[c];
      for (const int filter : source.filters) out += " [" + text_of(s.query, filter) + "]";
      out += '\n';
    }
  }
  return out;
}

}  // namespace tocsin::engine::sql
