// The map is small (a handful of registers), so looking through it is enough.
#include "engine/exposure/datasets.hpp"

#include "rules/base/text.hpp"

#include <utility>

namespace tocsin::engine {
namespace {

std::string_view last_part(std::string_view relation) {
  const std::size_t dot = relation.rfind('.');
  return dot == std::string_view::npos ? relation : relation.substr(dot + 1);
}

std::string_view without_public(std::string_view relation) {
  constexpr std::string_view kPublic = "public.";
  return relation.starts_with(kPublic) ? relation.substr(kPublic.size()) : relation;
}

// The register's own table: the one called like it, else every one whose person column is the key.
bool is_main(const DatasetSpec& spec, std::string_view table, std::string_view column) {
  if (last_part(table) == spec.name) return true;
  for (const auto& [other, ignored] : spec.tables) {
    if (last_part(other) == spec.name) return false;
  }
  return spec.tables.size() == 1 && column == spec.key;
}

// The table in an entry of the catalogue ("visit.reason"), empty if it is for all tables.
std::string_view table_of(std::string_view column) {
  const std::size_t dot = column.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : last_part(column.substr(0, dot));
}

bool is_own_table(const DatasetSpec& spec, std::string_view table) {
  for (const auto& [name, key] : spec.tables) {
    if (iequals(last_part(name), table) && is_main(spec, name, key)) return true;
  }
  return false;
}

}  // namespace

void DatasetMap::add(DatasetSpec spec) {
  if (spec.tables.empty()) spec.tables.emplace(spec.name, spec.key);
  specs_.push_back(std::move(spec));
}

const DatasetSpec* DatasetMap::find(std::string_view dataset) const {
  for (const DatasetSpec& spec : specs_) {
    if (spec.name == dataset) return &spec;
  }
  return nullptr;
}

std::vector<PersonColumn> DatasetMap::persons_of(std::string_view relation) const {
  relation = without_public(relation);
  const bool qualified = relation.find('.') != std::string_view::npos;
  std::vector<PersonColumn> out;
  for (const DatasetSpec& spec : specs_) {
    for (const auto& [table, column] : spec.tables) {
      // Whether names differ in more than case depends on the database: if they do not, they may be the same.
      const std::string_view named = without_public(table);
      if (!iequals(named, relation) && (qualified || !iequals(last_part(named), relation))) continue;
      out.push_back({spec.name, column, is_main(spec, table, column), true});
    }
  }
  return out;
}

std::optional<std::pair<std::string, std::string>> DatasetMap::person_of(const Resource& resource) const {
  if (resource.object.empty()) return std::nullopt;
  for (const DatasetSpec& spec : specs_) {
    for (const ObjectTemplate& object : spec.objects) {
      if (auto id = object.person(resource)) return std::pair(spec.name, std::move(*id));
    }
  }
  return std::nullopt;
}

std::string DatasetMap::listed(const Resource& resource) const {
  for (const DatasetSpec& spec : specs_) {
    for (const ObjectTemplate& object : spec.objects) {
      if (object.lists(resource)) return spec.name;
    }
  }
  return "";
}

std::string DatasetMap::kind_of(std::string_view dataset, std::string_view field) const {
  const DatasetSpec* spec = find(dataset);
  if (spec == nullptr) return "";
  // Whether names differ in case only depends on the database; the catalogue means them all.
  std::string for_all;
  for (const auto& [column, kind] : spec->columns) {
    if (iequals(column, field)) return kind;
    if (!iequals(last_part(column), last_part(field))) continue;
    const std::string_view table = table_of(column);
    if (table.empty()) for_all = kind;
    else if (field.find('.') == std::string_view::npos && is_own_table(*spec, table)) return kind;
  }
  return for_all;
}

std::set<std::string> DatasetMap::kinds_of(std::string_view dataset, std::string_view field) const {
  std::set<std::string> out;
  const DatasetSpec* spec = find(dataset);
  if (spec == nullptr) return out;
  if (last_part(field) != "*") {
    if (std::string kind = kind_of(dataset, field); !kind.empty()) out.insert(std::move(kind));
    return out;
  }
  for (const auto& [column, kind] : spec->columns) {
    const std::string_view table = table_of(column);
    if (table.empty() || (field == "*" ? is_own_table(*spec, table) : iequals(table, last_part(field.substr(0, field.size() - 2))))) out.insert(kind);
  }
  return out;
}

}  // namespace tocsin::engine
