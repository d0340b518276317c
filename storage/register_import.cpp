// A register from rows: who is new, who changed, who is gone; and one change at a time.
#include <algorithm>
#include <memory>
#include <unordered_set>
#include <utility>

#include "rules/base/text.hpp"
#include "storage/register_rows.hpp"
#include "storage/register_store.hpp"

namespace tocsin::storage {
namespace {

void report_bad(ImportReport& report, const ImportOptions& options, std::uint64_t line, std::string message) {
  ++report.bad;
  if (report.problems.size() < options.max_errors) report.problems.push_back({line, std::move(message)});
}

// Which column of the file holds a contact field; npos if none does.
std::size_t column_for(const ImportOptions& options, const std::vector<std::string>& columns, std::string_view field) {
  const auto mapped = options.names.find(std::string(field));
  const std::string_view wanted = mapped == options.names.end() ? field : std::string_view(mapped->second);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (iequals(columns[i], wanted)) return i;
  }
  return std::string::npos;
}

}  // namespace

Result<ImportReport> import_register(std::istream& in, const ImportOptions& options, Registers& registers,
                                     const std::function<void(std::uint64_t)>& progress) {
  ImportReport report;
  const std::unique_ptr<RegisterRows> rows = register_rows(in);
  std::vector<std::string> fields;
  std::string problem;
  if (rows->columns(fields, problem) != RegisterRows::Outcome::kRecord || fields.empty()) {
    return fail(Errc::kInvalid, problem.empty() ? "the file is empty" : "the header line is " + problem, "line 1",
                "the first line names the columns: id,name,email,…, or is a person as a JSON object");
  }
  for (std::string& column : fields) column = std::string(trim(column));
  report.columns = fields;
  const auto key_at = static_cast<std::size_t>(std::find(fields.begin(), fields.end(), options.key) - fields.begin());
  if (key_at == fields.size()) {
    std::vector<std::string_view> names(fields.begin(), fields.end());
    const std::string_view near = nearest(options.key, names);
    return fail(Errc::kInvalid, "there is no column '" + options.key + "'" +
                                    (near.empty() ? "" : " (did you mean '" + std::string(near) + "'?)"),
                "line 1", "name the column that identifies a person with --key");
  }
  for (const auto& [field, column] : options.names) {
    if (column_for(options, report.columns, field) == std::string::npos) {
      return fail(Errc::kInvalid, "there is no column '" + column + "' for '" + field + "'", "line 1");
    }
  }
  const std::size_t country_at = column_for(options, report.columns, "country");
  const std::size_t language_at = column_for(options, report.columns, "language");

  People& people = registers.of(options.dataset);
  const bool first_import = !people.registered();
  const Time since = first_import ? kAlways : people.as_of();
  std::vector<std::string> attributes;
  for (std::size_t i = 0; i < report.columns.size(); ++i) {
    if (i != key_at) attributes.push_back(report.columns[i]);
  }
  if (options.partial && (first_import || people.columns() != attributes)) {
    return fail(Errc::kInvalid, "the columns are not those of the register, which holds more people than these", "line 1",
                "import everybody once more");
  }

  std::unordered_set<PersonNo> present;
  bool good = false;
  for (;;) {
    const auto outcome = rows->next(fields, problem);
    if (outcome == RegisterRows::Outcome::kEnd) break;
    if (progress) progress(rows->bytes());
    if (outcome == RegisterRows::Outcome::kBad) {
      report_bad(report, options, rows->first_line(), problem);
      continue;
    }
    if (fields.empty() || (fields.size() == 1 && trim(fields[0]).empty())) continue;  // a blank line
    ++report.records;
    if (fields.size() != report.columns.size()) {
      report_bad(report, options, rows->first_line(), std::to_string(fields.size()) + " fields where the header has " +
                                                          std::to_string(report.columns.size()));
      continue;
    }
    const std::string id(trim(fields[key_at]));
    if (id.empty() || id == kEmptyText) {
      report_bad(report, options, rows->first_line(), "no " + options.key);
      continue;
    }
    People::Attributes values;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (i != key_at) values.emplace_back(report.columns[i], fields[i]);
    }
    for (const auto& [field, column] : options.names) {  // the vault knows contacts by their usual names
      if (!iequals(field, column)) values.emplace_back(field, fields[column_for(options, report.columns, field)]);
    }
    // From here on the register changes: a file without one good line leaves it as it is. In a part of it, doubts about the
    // others stay.
    if (!good && !options.partial) people.set_header(true, attributes, {}, std::nullopt);
    good = true;
    const auto known = people.find(id);
    PersonNo no = 0;
    if (!known) {
      no = people.add(id, since, values, true);
      ++report.added;
    } else if (present.count(*known) > 0) {
      report_bad(report, options, rows->first_line(), "this " + options.key + " has been seen before in the file");
      continue;
    } else if (first_import || !people.at(*known).listed) {
      no = people.add(id, since, values, true);
      ++report.added;
    } else {
      no = *known;
      if (people.update(no, options.as_of, values)) ++report.changed;
      else ++report.unchanged;
    }
    const auto place = [&](std::size_t column) { return column == std::string::npos || fields[column] == kEmptyText ? std::string() : fields[column]; };
    people.set_place(no, place(country_at), place(language_at));
    present.insert(no);
  }
  if (!good && !(options.partial && report.records == 0 && report.bad == 0)) {
    return fail(Errc::kInvalid, "not one line could be read as a person" +
                                    (report.problems.empty() ? std::string()
                                                             : " (line " + std::to_string(report.problems[0].line) +
                                                                   ": " + report.problems[0].message + ")"));
  }
  if (options.partial) return report;
  if (report.bad == 0) {  // a file with bad lines cannot say who is gone
    for (PersonNo no = 0; no < people.size(); ++no) {
      const People::Entry& entry = people.at(no);
      if (!entry.listed || entry.valid.to != kForever || present.count(no) > 0) continue;
      people.remove(no, options.as_of);
      ++report.gone;
    }
  }
  people.set_as_of(options.as_of);
  return report;
}

bool apply_change(People& people, const RegisterChange& change) {
  const auto known = people.find(change.id);
  const bool already = change.time <= people.as_of();
  const Time from = change.time - kChangeSlack, until = already ? kForever : change.time + kChangeSlack;
  const auto told = [&](const std::string& column) {
    return std::any_of(change.attributes.begin(), change.attributes.end(), [&](const auto& a) { return iequals(a.first, column); });
  };
  PersonNo no = known.value_or(0);
  switch (change.op) {
    case RegisterChange::Op::kInsert: {
      const bool complete = std::all_of(people.columns().begin(), people.columns().end(), told);
      if (!known || !people.at(*known).listed || people.at(*known).valid.to != kForever) no = people.add(change.id, from, change.attributes, complete);
      else people.change(no, from, kForever, change.attributes);
      break;
    }
    case RegisterChange::Op::kUpdate:
      // Nobody knows since when somebody unknown has been there, or which other values they have.
      if (!known || !people.at(*known).listed) no = people.add(change.id, kAlways, change.attributes, false);
      else people.change(no, from, until, change.attributes);
      if (!known || !people.at(no).attributes_known) people.obscure(no);
      break;
    case RegisterChange::Op::kDelete:
      if (known && !already) people.remove(no, until);
      return known.has_value();
  }
  std::string country = people.at(no).country, language = people.at(no).language;
  for (const auto& [column, value] : change.attributes) {
    const std::string plain = value == kEmptyText ? std::string() : value;
    if (iequals(column, "country")) country = plain;
    if (iequals(column, "language")) language = plain;
  }
  people.set_place(no, country, language);
  return known.has_value();
}

}  // namespace tocsin::storage
