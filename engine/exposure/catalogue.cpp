// Expansion is by position in the flat list of sources: the view's sources and conditions are appended, and the
// outer conditions on the view's columns are carried over to the columns they simply are. A column that is
// computed carries nothing over, which leaves the set wider.
#include "engine/exposure/catalogue.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::engine {

using sql::Column;
using sql::Op;
using sql::Predicate;
using sql::Query;
using sql::Source;
using sql::Use;

// ---------------------------------------------------------------------------------------- learning

Catalogue::Entry* Catalogue::entry(const std::string& relation) {
  const auto found = entries_.find(relation);
  if (found != entries_.end()) return &found->second;
  if (entries_.size() >= max_) return nullptr;
  return &entries_[relation];
}

const Catalogue::Entry* Catalogue::find(const std::string& relation) const {
  const auto found = entries_.find(relation);
  return found == entries_.end() ? nullptr : &found->second;
}

bool Catalogue::restore(std::string relation, Entry entry) {
  if (entries_.size() >= max_) return false;
  return entries_.emplace(std::move(relation), std::move(entry)).second;
}

void Catalogue::define(const std::string& relation, Definition definition) {
  if (Entry* e = entry(relation)) {
    e->definitions.clear();
    e->definitions.push_back(std::move(definition));
  }
}

void Catalogue::add_copy(const std::string& relation, Definition definition) {
  if (Entry* e = entry(relation)) {
    if (e->definitions.size() < kMaxCopies) e->definitions.push_back(std::move(definition));
  }
}

void Catalogue::set_columns(const std::string& relation, const std::vector<std::string>& columns) {
  if (Entry* e = entry(relation)) {
    e->columns = columns;
    e->complete = true;
    e->definitions.clear();
  }
}

void Catalogue::see_relation(const std::string& relation) { (void)entry(relation); }

void Catalogue::see_columns(const Query& query) {
  const auto see = [&](int source, const std::string& column) {
    if (column == "*" || column.empty()) return;
    Entry* e = entry(query.sources[static_cast<std::size_t>(source)].relation.text());
    if (e == nullptr || e->complete) return;
    if (std::find(e->columns.begin(), e->columns.end(), column) == e->columns.end() && e->columns.size() < 1000) {
      e->columns.push_back(column);
    }
  };
  for (const Predicate& p : query.predicates) {
    for (const Column* c : {&p.column, &p.other}) {
      if (c->certain && c->candidates.size() == 1) see(c->candidates.front(), c->name);
    }
  }
  for (const sql::Output& o : query.outputs) {
    if (o.source >= 0) see(o.source, o.column);
  }
}

void Catalogue::set_parents(const std::string& relation, std::vector<std::string> parents) {
  if (Entry* e = entry(relation)) e->parents = std::move(parents);
}

void Catalogue::set_bases(const std::string& view, const std::string& base) {
  if (Entry* e = entry(view)) e->bases.insert(base);
}

void Catalogue::set_foreign(const std::string& relation, const sql::Relation& remote) {
  Entry* e = entry(relation);
  if (e != nullptr && (e->foreign.empty() || !remote.name.empty())) e->foreign = {remote.schema, remote.name};
}

std::optional<sql::Relation> Catalogue::foreign(const std::string& relation) const {
  const Entry* e = find(relation);
  if (e == nullptr || e->foreign.size() != 2) return std::nullopt;
  return sql::Relation{e->foreign[0], e->foreign[1]};
}

void Catalogue::extend(const std::string& relation, Time until) {
  const auto found = entries_.find(relation);
  if (found == entries_.end()) return;
  for (Definition& d : found->second.definitions) d.taken.to = std::max(d.taken.to, until);
}

void Catalogue::drop(const std::string& relation) { entries_.erase(relation); }

void Catalogue::rename(const std::string& from, const std::string& to) {
  auto node = entries_.extract(from);
  if (node.empty()) return;
  node.key() = to;
  entries_.insert(std::move(node));
}

const std::vector<Definition>* Catalogue::definitions(const std::string& relation) const {
  const Entry* e = find(relation);
  return e == nullptr || e->definitions.empty() ? nullptr : &e->definitions;
}

const std::vector<std::string>* Catalogue::columns(const std::string& relation) const {
  const Entry* e = find(relation);
  return e == nullptr || e->columns.empty() ? nullptr : &e->columns;
}

bool Catalogue::columns_complete(const std::string& relation) const {
  const Entry* e = find(relation);
  return e != nullptr && e->complete;
}

bool Catalogue::knows(std::string_view relation) const { return entries_.find(relation) != entries_.end(); }

const std::vector<std::string>& Catalogue::parents(const std::string& relation) const {
  static const std::vector<std::string> kNone;
  const Entry* e = find(relation);
  return e == nullptr ? kNone : e->parents;
}

const std::set<std::string>& Catalogue::bases(const std::string& view) const {
  static const std::set<std::string> kNone;
  const Entry* e = find(view);
  return e == nullptr ? kNone : e->bases;
}

// ---------------------------------------------------------------------------------------- expanding

namespace {

constexpr int kMaxViewDepth = 8;

Use through(Use inner, Use outer) {
  if (inner == Use::kNone || outer == Use::kNone) return Use::kNone;
  if (inner == Use::kStatistic || outer == Use::kStatistic) return Use::kStatistic;
  if (inner == Use::kExistence || outer == Use::kExistence) return Use::kExistence;
  return std::max(inner, outer);
}

// The columns of a definition under the names that readers of the relation use.
std::vector<sql::Output> outputs_of(const Definition& definition) {
  const sql::Statement& s = definition.said.statement();
  std::vector<sql::Output> out = definition.copy && !s.staged.empty() ? s.staged : s.query.outputs;
  const bool star = std::any_of(out.begin(), out.end(), [](const sql::Output& o) { return o.name == "*"; });
  if (!s.target_columns.empty() && star) return {};  // which name means which column cannot be told
  for (std::size_t i = 0; i < s.target_columns.size() && i < out.size(); ++i) out[i].name = s.target_columns[i];
  return out;
}

// The column of the definition's query that `name` simply is.
std::optional<Column> lineage(const std::vector<sql::Output>& outputs, const std::string& name, int offset) {
  const sql::Output* star = nullptr;
  for (const sql::Output& o : outputs) {
    if (o.name == name) {
      if (o.source < 0) return std::nullopt;
      return Column{{o.source + offset}, o.column, true};
    }
    if (o.name == "*") {
      if (star != nullptr || o.source < 0) return std::nullopt;
      star = &o;
    }
  }
  if (star == nullptr) return std::nullopt;
  return Column{{star->source + offset}, name, true};
}

bool names_source(const Column& c, int source) {
  return std::find(c.candidates.begin(), c.candidates.end(), source) != c.candidates.end();
}

// Rewrites a condition that names `source`; one that cannot be carried over becomes "true".
Predicate carry(const Predicate& p, int source, const std::vector<sql::Output>& outputs, int offset) {
  Predicate out = p;
  for (Column* c : {&out.column, &out.other}) {
    if (!names_source(*c, source)) continue;
    const auto inner = c->candidates.size() == 1 && c->certain ? lineage(outputs, c->name, offset) : std::nullopt;
    if (!inner) {
      if (c->candidates.size() > 1) continue;  // means another source, or nothing that narrows this one
      return Predicate{};
    }
    *c = *inner;
  }
  return out;
}

void bind(std::optional<sql::Value>& v, const Definition& d);
void bind(sql::Value& v, const Definition& d) {
  if (v.parameter <= 0) return;
  const auto at = static_cast<std::size_t>(v.parameter - 1);
  v.known = d.parameters_known && at < d.parameters.size();
  if (v.known) v.text = d.parameters[at];
  v.parameter = 0;
}
void bind(std::optional<sql::Value>& v, const Definition& d) {
  if (v) bind(*v, d);
}

void append(Expanded& to, int source, const Definition& definition, bool only_one) {
  const int offset = static_cast<int>(to.query.sources.size());
  const int predicates = static_cast<int>(to.query.predicates.size());
  const Query& inner = definition.said.statement().query;
  const std::vector<sql::Output> outputs = outputs_of(definition);
  for (Predicate p : inner.predicates) {
    for (Column* c : {&p.column, &p.other}) {
      for (int& candidate : c->candidates) candidate += offset;
    }
    for (int& arg : p.args) arg += predicates;
    for (sql::Value& v : p.values) bind(v, definition);
    bind(p.low, definition);
    bind(p.high, definition);
    to.query.predicates.push_back(std::move(p));
  }
  // The outer conditions, in terms of the inner columns.
  const std::vector<int> outer_filters = to.query.sources[static_cast<std::size_t>(source)].filters;
  int carried = 0;
  if (only_one) {
    for (int i = 0; i < predicates; ++i) {
      Predicate& p = to.query.predicates[static_cast<std::size_t>(i)];
      p = carry(p, source, outputs, offset);
    }
  } else {
    carried = static_cast<int>(to.query.predicates.size());
    for (int i = 0; i < predicates; ++i) {
      Predicate p = carry(to.query.predicates[static_cast<std::size_t>(i)], source, outputs, offset);
      for (int& arg : p.args) arg += carried;
      to.query.predicates.push_back(std::move(p));
    }
  }
  const Source outer = to.query.sources[static_cast<std::size_t>(source)];
  for (Source s : inner.sources) {
    for (int& filter : s.filters) filter += predicates;
    if (!inner.barrier) {
      for (const int filter : outer_filters) s.filters.push_back(filter + carried);
    }
    for (Column& c : s.group_by) {
      for (int& candidate : c.candidates) candidate += offset;
    }
    s.use = through(definition.copy ? std::max(s.staged, s.use) : s.use, outer.use);
    s.nullable = s.nullable || outer.nullable;
    if (outer.merged) {
      if (s.merged) {
        s.group_by.clear();
      } else {
        for (const Column& c : outer.group_by) {
          if (!names_source(c, source)) {
            s.group_by.push_back(c);
          } else if (auto mapped = lineage(outputs, c.name, offset)) {
            s.group_by.push_back(std::move(*mapped));
          }
        }
      }
      s.merged = true;
    }
    if (definition.copy) s.columns.assign(1, "*");
    to.query.sources.push_back(std::move(s));
    to.taken.push_back(definition.copy ? std::optional(definition.taken) : to.taken[static_cast<std::size_t>(source)]);
  }
  to.through_view = to.through_view || !definition.copy;
  to.through_copy = to.through_copy || definition.copy;
  to.query.one_to_one = to.query.one_to_one && inner.one_to_one && only_one && !definition.copy;
  to.query.barrier = to.query.barrier || inner.barrier;
  to.query.elsewhere = to.query.elsewhere || inner.elsewhere;
}

}  // namespace

bool needs_expansion(const Query& query, const Catalogue& catalogue) {
  return std::any_of(query.sources.begin(), query.sources.end(), [&](const Source& s) {
    return !s.written && catalogue.definitions(s.relation.text()) != nullptr;
  });
}

Expanded expand(const Query& query, const Catalogue& catalogue) {
  Expanded out;
  out.query = query;
  out.taken.resize(query.sources.size());
  std::size_t done = 0;
  for (int depth = 0; depth < kMaxViewDepth; ++depth) {
    const std::size_t end = out.query.sources.size();
    for (std::size_t i = done; i < end; ++i) {
      if (out.query.sources[i].written) continue;
      const auto* definitions = catalogue.definitions(out.query.sources[i].relation.text());
      if (definitions == nullptr) continue;
      bool any_copy = false;
      for (const Definition& definition : *definitions) {
        if (out.query.sources.size() + definition.said.statement().query.sources.size() > sql::kMaxSources ||
            out.query.predicates.size() * 2 > sql::kMaxPredicates) {
          return out;  // the rest counts as relations of their own, without conditions from inside
        }
        append(out, static_cast<int>(i), definition, definitions->size() == 1 && !definition.copy);
        any_copy = any_copy || definition.copy;
      }
      // A view has no rows of its own; a copied table may hold others besides.
      if (!any_copy) out.query.sources[i].use = Use::kNone;
    }
    if (out.query.sources.size() == end) break;
    done = end;
  }
  return out;
}

}  // namespace tocsin::engine
