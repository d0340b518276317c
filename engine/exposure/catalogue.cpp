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

namespace {

constexpr char kOfSession = '\x1f';  // "session\x1fname": a temporary table

std::string_view last_name(std::string_view relation) { return relation.substr(relation.find_last_of(std::string_view(".\x1f")) + 1); }

}  // namespace

Catalogue::Entry* Catalogue::entry(const std::string& relation) {
  const auto found = entries_.find(relation);
  if (found != entries_.end()) return &found->second;
  if (full()) return nullptr;
  by_last_[std::string(last_name(relation))].insert(relation);
  return &entries_[relation];
}

void Catalogue::forget(const std::string& relation) {
  entries_.erase(relation);
  const auto same = by_last_.find(last_name(relation));
  if (same == by_last_.end()) return;
  same->second.erase(relation);
  if (same->second.empty()) by_last_.erase(same);
}

const Catalogue::Entry* Catalogue::find(std::string_view relation) const {
  const auto found = entries_.find(relation);
  return found == entries_.end() ? nullptr : &found->second;
}

bool Catalogue::restore(std::string relation, Entry entry) {
  if (full()) return false;
  by_last_[std::string(last_name(relation))].insert(relation);
  return entries_.emplace(std::move(relation), std::move(entry)).second;
}

void Catalogue::define(const std::string& relation, Definition definition) {
  if (Entry* e = entry(relation)) {
    e->definitions.clear();
    e->hidden.clear();
    e->bases.clear();
    e->definitions.push_back(std::move(definition));
  }
}

void Catalogue::add_copy(const std::string& relation, Definition definition) {
  Entry* e = entry(relation);
  if (e == nullptr) return;
  if (e->definitions.size() < kMaxCopies) {
    e->definitions.push_back(std::move(definition));
    return;
  }
  for (const Source& source : definition.said.statement().query.sources) {
    if (source.staged > Use::kStatistic) feed(relation, source.relation.text());
  }
}

void Catalogue::set_columns(const std::string& relation, const std::vector<std::string>& columns) {
  if (Entry* e = entry(relation)) {
    const bool unsure = e->unsure;
    *e = {};
    e->unsure = unsure;
    e->columns = columns;
    e->complete = true;
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

void Catalogue::hide(const std::string& relation, const std::string& why) {
  if (Entry* e = entry(relation)) e->hidden = why;
}

void Catalogue::feed(const std::string& relation, const std::string& from) {
  Entry* e = relation == from ? nullptr : entry(relation);
  if (e == nullptr || e->fed_by.count(from) > 0) return;
  if (e->fed_by.size() >= kMaxFeeding) e->hidden = "it was filled from more tables than are followed";
  else e->fed_by.insert(from);
}

void Catalogue::change(const std::string& relation, const std::vector<std::string>& columns) {
  const auto found = entries_.find(relation);
  if (found == entries_.end() || found->second.definitions.empty()) return;
  constexpr std::size_t kMaxChanged = 1000;
  for (const std::string& column : columns) found->second.changed.insert(found->second.changed.size() < kMaxChanged ? column : "*");
}

void Catalogue::set_partition(const std::string& relation, KnownStatement made) {
  if (Entry* e = entry(relation)) e->made.assign(1, std::move(made));
}

void Catalogue::set_partition_column(const std::string& relation, const std::string& column) {
  if (Entry* e = entry(relation)) e->partition_column = column;
}

void Catalogue::guard(const std::string& relation) {
  if (Entry* e = entry(relation)) e->guarded = true;
}

void Catalogue::forget_order(const std::string& relation) {
  const auto found = entries_.find(relation);
  if (found != entries_.end()) found->second.complete = false;
}

void Catalogue::unsure(const std::string& relation) {
  if (Entry* e = entry(relation)) e->unsure = true;
}

void Catalogue::adopt(const std::string& relation, const std::string& qualified) {
  const auto found = entries_.find(relation);
  if (relation == qualified || found == entries_.end() || !found->second.unsure) return;
  found->second.unsure = false;
  rename(relation, qualified);
}

void Catalogue::drop(const std::string& relation) { forget(relation); }

void Catalogue::rename(const std::string& from, const std::string& to, bool keep) {
  const auto found = entries_.find(from);
  if (found == entries_.end() || from == to) return;
  Entry moved = found->second;
  if (!keep) forget(from);
  if (Entry* e = entry(to)) {
    // A name that had another meaning (whose end was not seen, or may be taken back) keeps it besides.
    for (Definition& d : e->definitions) {
      if (moved.definitions.size() < kMaxCopies) moved.definitions.push_back(std::move(d));
      else moved.hidden = "too many tables had this name";
    }
    moved.fed_by.merge(e->fed_by);
    moved.bases.merge(e->bases);
    if (moved.hidden.empty()) moved.hidden = e->hidden;
    *e = std::move(moved);
  }
}

std::vector<std::string> Catalogue::resolve(const sql::Relation& relation, const Names& names) const {
  std::vector<std::string> out;
  const auto add = [&](std::string name) {
    if (entries_.count(name) > 0 && std::find(out.begin(), out.end(), name) == out.end()) out.push_back(std::move(name));
  };
  const auto temporary = [&] {
    std::string name = std::string(names.session) + kOfSession + relation.name;
    if (!names.session.empty() && entries_.count(name) > 0) out.push_back(std::move(name));
  };
  if (relation.schema.starts_with("pg_temp")) {
    temporary();
  } else if (!relation.schema.empty()) {
    add(relation.text());
    if (const Entry* bare = find(relation.name); bare != nullptr && bare->unsure) add(relation.name);
  } else {
    temporary();  // goes before all other schemas
    if (!out.empty()) return out;
    if (last_name(names.logged) == relation.name && !names.logged.starts_with("pg_temp")) {
      add(std::string(names.logged));
      if (const Entry* bare = find(relation.name); bare != nullptr && bare->unsure) add(relation.name);
      return out;
    }
    const auto same = by_last_.find(relation.name);
    if (same == by_last_.end()) return out;
    for (const std::string& name : same->second) {
      if (name.find(kOfSession) == std::string::npos) out.push_back(name);
    }
  }
  return out;
}

bool Catalogue::guarded(const sql::Relation& relation, const Names& names) const {
  const std::vector<std::string> all = resolve(relation, names);
  return std::any_of(all.begin(), all.end(), [&](const std::string& name) { return find(name)->guarded; });
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
std::vector<sql::Output> outputs_of(const Definition& definition, const Catalogue::Entry& entry) {
  const sql::Statement& s = definition.said.statement();
  std::vector<sql::Output> out = definition.copy && !s.staged.empty() ? s.staged : s.query.outputs;
  const std::vector<std::string>* called = &s.target_columns;
  if (definition.copy && !s.writes.empty()) {
    if (s.kind != sql::Kind::kInsert || s.writes.size() > 1 || !s.writes.front().from_query) return {};  // values in columns that were there
    // Without names the columns of the table are meant, in their order, and not those of the SELECT.
    if (called->empty() && !entry.complete) return {};
    if (called->empty()) called = &entry.columns;
  }
  const bool star = std::any_of(out.begin(), out.end(), [](const sql::Output& o) { return o.name == "*"; });
  if (!called->empty() && star) return {};  // which name means which column cannot be told
  for (std::size_t i = 0; i < called->size() && i < out.size(); ++i) out[i].name = (*called)[i];
  std::erase_if(out, [&](const sql::Output& o) { return entry.changed.count(o.name) > 0; });
  if (entry.changed.count("*") > 0 || (star && !entry.changed.empty())) return {};
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
Predicate carry(const Predicate& p, int source, const std::vector<sql::Output>& outputs, int offset, bool copied) {
  Predicate out = p;
  for (Column* c : {&out.column, &out.other}) {
    if (!names_source(*c, source)) continue;
    const auto inner = c->candidates.size() == 1 && c->certain ? lineage(outputs, c->name, offset) : std::nullopt;
    if (!inner) {
      if (c->candidates.size() > 1) continue;  // means another source, or nothing that narrows this one
      return Predicate{};
    }
    const bool cast = c->cast;
    copied = copied || c->copied;
    *c = *inner;
    c->cast = cast;
    c->copied = copied;
  }
  return out;
}

// The same for the condition `at` and those within it, as new ones. Their depth is that of the statement's own text.
int carry_copy(Query& query, int at, int source, const std::vector<sql::Output>& outputs, int offset, bool copied) {
  Predicate out = carry(query.predicates[static_cast<std::size_t>(at)], source, outputs, offset, copied);
  for (int& arg : out.args) arg = carry_copy(query, arg, source, outputs, offset, copied);
  query.predicates.push_back(std::move(out));
  return static_cast<int>(query.predicates.size()) - 1;
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

// Which columns of the definition's sources are read where `columns` of the relation are; nullopt if one of them is
// computed, so that any may be in it.
std::optional<std::vector<std::vector<std::string>>> columns_inside(const std::vector<std::string>& columns, const std::vector<sql::Output>& outputs, std::size_t sources) {
  std::vector<std::vector<std::string>> out(sources);
  for (const std::string& name : columns) {
    const auto inside = name == "*" ? std::nullopt : lineage(outputs, name, 0);
    if (!inside) return std::nullopt;
    out[static_cast<std::size_t>(inside->candidates.front())].push_back(inside->name);
  }
  return out;
}

void append(Expanded& to, int source, const Definition& definition, const Catalogue::Entry& entry, bool only_one) {
  const int offset = static_cast<int>(to.query.sources.size());
  const int predicates = static_cast<int>(to.query.predicates.size());
  const Query& inner = definition.said.statement().query;
  const std::vector<sql::Output> outputs = outputs_of(definition, entry);
  // CREATE TABLE AS keeps the types of what it copies; in MySQL it may name others.
  const bool retyped = definition.copy && (definition.said.mysql || definition.said.statement().kind != sql::Kind::kCreateAs);
  to.query.loose = to.query.loose || inner.loose;
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
  std::vector<int> carried = outer_filters;
  if (only_one) {
    for (int i = 0; i < predicates; ++i) {
      Predicate& p = to.query.predicates[static_cast<std::size_t>(i)];
      p = carry(p, source, outputs, offset, retyped);
    }
  } else {
    for (int& filter : carried) filter = carry_copy(to.query, filter, source, outputs, offset, retyped);
  }
  const Source outer = to.query.sources[static_cast<std::size_t>(source)];
  const auto read = definition.copy ? std::nullopt : columns_inside(outer.columns, outputs, inner.sources.size());
  for (std::size_t i = 0; i < inner.sources.size(); ++i) {
    Source s = inner.sources[i];
    if (read) s.columns = (*read)[i];
    for (int& filter : s.filters) filter += predicates;
    if (!inner.barrier) {
      s.filters.insert(s.filters.end(), carried.begin(), carried.end());
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
  // Pages are counted in rows of one table, all of whose conditions are known.
  to.query.undecided = to.query.undecided || inner.undecided || inner.limited || !only_one;
  if (to.query.order) {
    const Column by = to.query.order->column;
    const auto inside = by.candidates == std::vector<int>{source} && by.certain ? lineage(outputs, by.name, offset) : std::nullopt;
    if (names_source(by, source) && inside) to.query.order->column = *inside;
    else if (names_source(by, source)) to.query.order.reset();
  }
  to.through_view = to.through_view || !definition.copy;
  to.through_copy = to.through_copy || definition.copy;
  to.query.one_to_one = to.query.one_to_one && inner.one_to_one && only_one && !definition.copy;
  to.query.barrier = to.query.barrier || inner.barrier;
  if (to.query.elsewhere.empty()) to.query.elsewhere = inner.elsewhere;
}

// Rows of anybody in `relation` may come too, by a way that no statement tells.
void append_feeding(Expanded& to, std::size_t source, const std::string& relation) {
  std::size_t at = relation.rfind(kOfSession);
  if (at == std::string::npos) at = relation.find('.');
  Source fed;
  fed.relation.name = at == std::string::npos ? relation : relation.substr(at + 1);
  if (at != std::string::npos) fed.relation.schema = relation[at] == kOfSession ? "pg_temp" : relation.substr(0, at);
  fed.use = through(Use::kCollected, to.query.sources[source].use);
  fed.columns.assign(1, "*");
  fed.nullable = true;
  to.query.sources.push_back(std::move(fed));
  to.taken.push_back(storage::Span{storage::kAlways, storage::kForever});
  to.query.one_to_one = false;
  to.through_copy = true;
}

// FOR VALUES as a condition: on the column by which its parent is partitioned.
void restrict_to_partition(Expanded& to, std::size_t source, const Catalogue::Entry& entry, const Catalogue& catalogue, const Names& names) {
  const sql::Statement& made = entry.made.front().statement();
  if (made.parents.size() != 1) return;
  const std::vector<std::string> parents = catalogue.resolve(made.parents.front(), names);
  if (parents.size() != 1) return;
  const std::string& column = catalogue.find(parents.front())->partition_column;
  const sql::PartitionBound& bound = made.bound;
  if (column.empty()) return;
  Predicate p;
  p.column = Column{{static_cast<int>(source)}, column, true};
  if (bound.strategy == 'l' && !bound.values.empty()) {
    if (std::any_of(bound.values.begin(), bound.values.end(), [](const sql::Value& v) { return v.null || !(v.known || v.fractional); })) return;
    p.op = Op::kIn;
    p.values = bound.values;
  } else if (bound.strategy == 'r' && (bound.low || bound.high)) {
    p.op = Op::kRange;
    p.low = bound.low;
    p.high = bound.high;
    p.high_open = bound.values.empty();
  } else {
    return;
  }
  to.query.sources[source].filters.push_back(static_cast<int>(to.query.predicates.size()));
  to.query.predicates.push_back(std::move(p));
}

}  // namespace

bool needs_expansion(const Query& query, const Catalogue& catalogue, const Names& names) {
  return std::any_of(query.sources.begin(), query.sources.end(), [&](const Source& s) {
    if (s.inserted) return false;
    const std::vector<std::string> all = catalogue.resolve(s.relation, names);
    return std::any_of(all.begin(), all.end(), [&](const std::string& name) { return catalogue.find(name)->stands_for_more(); });
  });
}

Expanded expand(const Query& query, const Catalogue& catalogue, const Names& names) {
  Expanded out;
  out.query = query;
  out.taken.resize(query.sources.size());
  std::vector<std::set<const Definition*>> within(query.sources.size());  // of each source: what it came out of
  std::set<std::string> fed;
  std::size_t done = 0;
  for (int depth = 0;; ++depth) {
    const std::size_t end = out.query.sources.size();
    for (std::size_t i = done; i < end; ++i) {
      if (out.query.sources[i].inserted) continue;
      const std::vector<std::string> all = catalogue.resolve(out.query.sources[i].relation, names);
      bool only_view = all.size() == 1;
      for (const std::string& name : all) {
        const Catalogue::Entry& entry = *catalogue.find(name);
        if (!entry.hidden.empty() && out.query.sources[i].use > Use::kStatistic) out.hidden = entry.hidden;
        if (!entry.made.empty() && all.size() == 1) restrict_to_partition(out, i, entry, catalogue, names);
        only_view = only_view && !entry.definitions.empty() && entry.fed_by.empty();
        const bool too_deep = depth >= kMaxViewDepth && (!entry.definitions.empty() || !entry.fed_by.empty());
        const bool only_one = entry.definitions.size() == 1 && all.size() == 1;
        for (const Definition& definition : entry.definitions) {
          only_view = only_view && !definition.copy;
          if (within[i].count(&definition) > 0) continue;
          if (too_deep || out.query.sources.size() + definition.said.statement().query.sources.size() > sql::kMaxSources ||
              out.query.predicates.size() > sql::kMaxPredicates) {
            out.hidden = "views and copies are nested too deeply";
            return out;
          }
          append(out, static_cast<int>(i), definition, entry, only_one && !definition.copy);
          std::set<const Definition*> inside = within[i];
          inside.insert(&definition);
          within.resize(out.query.sources.size(), inside);
        }
        for (const std::string& base : entry.fed_by) {
          if (!fed.insert(base).second) continue;
          if (out.query.sources.size() >= sql::kMaxSources) {
            out.hidden = "views and copies are nested too deeply";
            return out;
          }
          append_feeding(out, i, base);
          within.resize(out.query.sources.size(), within[i]);
        }
      }
      // A view has no rows of its own; a copied table may hold others besides.
      if (only_view) out.query.sources[i].use = Use::kNone;
    }
    if (out.query.sources.size() == end) break;
    done = end;
  }
  return out;
}

}  // namespace tocsin::engine
