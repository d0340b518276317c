// The configuration first; without one, names of columns and registers. Partitions name whom their parents name.
#include "engine/exposure/people_columns.hpp"

#include <set>

#include "rules/base/text.hpp"

namespace tocsin::engine {

using sql::Query;
using storage::People;

namespace {

std::vector<PersonColumn> persons_named_by(const StatementLine& line, const Query& query, std::size_t i,
                                           const std::string& relation) {
  std::vector<PersonColumn> out = line.state.map.persons_of(relation);
  if (line.state.map.configured()) return out;
  // Unconfigured: columns called <dataset>_id name people of a relation that exists; else the table is its own.
  std::set<std::string> columns;
  if (const auto* known = line.catalogue.columns(relation)) columns.insert(known->begin(), known->end());
  for (const std::string& c : query.sources[i].columns) columns.insert(c);
  for (const std::string& column : columns) {
    if (!column.ends_with("_id") || column.size() == 3) continue;
    const std::string dataset = column.substr(0, column.size() - 3);
    const People* people = line.state.registers.find(dataset);
    if (dataset == relation || !((people != nullptr && people->registered()) || line.catalogue.knows(dataset))) continue;
    out.push_back({dataset, column, false, true});
  }
  const People* own = line.state.registers.find(relation);
  if (own != nullptr && own->registered()) {
    out.push_back({relation, "id", true, true});
  } else if (out.empty() && line.catalogue.definitions(relation) == nullptr &&
             line.catalogue.bases(relation).empty() && line.session.views.count(relation) == 0) {
    out.push_back({relation, "id", true, columns.count("id") > 0});
  }
  return out;
}

// A foreign table names whom the table behind it names; its rows are not the register's own.
std::vector<PersonColumn> persons_of_foreign(const StatementLine& line, const Query& query, std::size_t i, const std::string& relation,
                                             const sql::Relation& remote) {
  std::vector<PersonColumn> out = line.state.map.persons_of(relation);
  if (out.empty() && !remote.name.empty()) out = persons_named_by(line, query, i, remote.text());
  for (PersonColumn& p : out) p.main = false;
  return out;
}

std::vector<PersonColumn> person_columns_as_written(const StatementLine& line, const Query& query, std::size_t i) {
  const sql::Relation& written = query.sources[i].relation;
  std::string relation = qualified(line, written);
  if (written.schema.empty() && relation == written.name && !line.session.search_path.empty()) {
    for (const std::string& schema : line.session.search_path) {
      const std::string candidate = sql::Relation{schema, written.name}.text();
      if (line.catalogue.knows(candidate)) {
        relation = candidate;
        break;
      }
    }
  }
  if (const auto remote = line.catalogue.foreign(relation)) return persons_of_foreign(line, query, i, relation, *remote);
  std::vector<PersonColumn> out = persons_named_by(line, query, i, relation);
  for (const std::string& parent : line.catalogue.parents(relation)) {
    for (PersonColumn& p : persons_named_by(line, query, i, parent)) out.push_back(std::move(p));
  }
  if (out.empty()) {
    for (const std::string& base : line.catalogue.bases(relation)) {
      Query named;
      named.sources.emplace_back();
      named.sources.front().relation.name = base;
      for (PersonColumn& p : persons_named_by(line, named, 0, base)) {
        p.view = p.main;
        p.column.clear();  // which column of the view names them is not known
        p.main = false;
        out.push_back(std::move(p));
      }
    }
  }
  return out;
}

}  // namespace

std::vector<PersonColumn> person_columns(const StatementLine& line, const Query& query, std::size_t i) {
  std::vector<PersonColumn> out = person_columns_as_written(line, query, i);
  if (is_mysql(line.access)) {
    for (PersonColumn& p : out) p.column = to_lower(p.column);
  }
  return out;
}

std::vector<PersonColumn> person_columns(const StatementLine& line, const std::string& relation) {
  Query named;
  named.sources.emplace_back();
  named.sources.front().relation.name = relation;
  return person_columns(line, named, 0);
}

}  // namespace tocsin::engine
