// Rows for what People holds. A person's plain values go to the vault and nowhere else.
#include "storage/register_store.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "rules/base/text.hpp"
#include "storage/words.hpp"

namespace tocsin::storage {
namespace {

const Migration kMigrations[] = {
    {1,
     "CREATE TABLE register_dataset("
     "no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, registered INTEGER NOT NULL, columns TEXT NOT NULL, "
     "tainted TEXT NOT NULL, incomplete_since INTEGER, as_of INTEGER NOT NULL);"
     "CREATE TABLE register_person("
     "dataset INTEGER NOT NULL REFERENCES register_dataset(no), no INTEGER NOT NULL, pseudonym BLOB NOT NULL, "
     "valid_from INTEGER NOT NULL, valid_to INTEGER NOT NULL, listed INTEGER NOT NULL, "
     "attributes_known INTEGER NOT NULL, country TEXT NOT NULL, language TEXT NOT NULL, erased INTEGER, "
     "PRIMARY KEY(dataset, no));"
     "CREATE INDEX register_person_by_pseudonym ON register_person(pseudonym);"
     "CREATE TABLE register_value("
     "dataset INTEGER NOT NULL, column_name TEXT NOT NULL, hash BLOB NOT NULL, no INTEGER NOT NULL, "
     "valid_from INTEGER NOT NULL, valid_to INTEGER NOT NULL, "
     "PRIMARY KEY(dataset, column_name, hash, no, valid_from));"
     "CREATE INDEX register_value_by_person ON register_value(dataset, no);"}};

constexpr std::string_view kContacts[] = {"name", "email", "phone", "language", "country"};
constexpr std::string_view kKnownColumns =
    "p.no, p.pseudonym, d.name, p.valid_from, p.valid_to, p.listed, p.erased, p.country, p.language";

// What the vault keeps of a person's values: how to reach and address them, nothing else.
Fields contacts(const People::Attributes& attributes) {
  Fields out;
  for (const auto& [column, value] : attributes) {
    for (const std::string_view contact : kContacts) {
      if (iequals(column, contact)) out[std::string(contact)] = value == kEmptyText ? std::string() : value;
    }
  }
  return out;
}

// Registered values of a person are kept in their own record too, as they are written, and go with its key: conditions like
// LIKE cannot be judged by hashes. One field a column: all its values so far, each ended by a zero byte.
constexpr std::string_view kColumnField = "column ";
constexpr std::size_t kMaxTexts = 24 * 1024;  // of one person; with more, none is kept, and their values count as unknown

void add_texts(Fields& fields, const People& people, const People::Attributes& attributes) {
  for (const auto& [column, value] : attributes) {
    const auto& columns = people.columns();
    if (value.empty() || std::find(columns.begin(), columns.end(), column) == columns.end()) continue;
    std::string& texts = fields[std::string(kColumnField) + column];
    const std::string one = value + '\0';
    bool known = false;
    for (std::size_t at = 0; at < texts.size() && !known; at = texts.find('\0', at) + 1) known = texts.compare(at, one.size(), one) == 0;
    if (!known) texts += one;
  }
  std::size_t size = 0;
  for (const auto& [name, texts] : fields) size += name.starts_with(kColumnField) ? name.size() + texts.size() : 0;
  if (size <= kMaxTexts) return;
  std::erase_if(fields, [](const auto& field) { return field.first.starts_with(kColumnField); });
}

People::Attributes texts_in(const Fields& fields) {
  People::Attributes out;
  for (const auto& [name, texts] : fields) {
    if (!name.starts_with(kColumnField)) continue;
    for (std::size_t at = 0; at < texts.size();) {
      const std::size_t end = std::min(texts.find('\0', at), texts.size());
      out.emplace_back(name.substr(kColumnField.size()), texts.substr(at, end - at));
      at = end + 1;
    }
  }
  return out;
}

RegisterStore::Known known_from(const Columns& c) {
  RegisterStore::Known out;
  out.no = static_cast<PersonNo>(c.integer(0));
  if (const auto pseudonym = Pseudonym::from_bytes(c.text(1))) out.pseudonym = *pseudonym;
  out.dataset = c.text(2);
  out.valid = {c.time(3), c.time(4)};
  out.listed = c.integer(5) != 0;
  out.erased = c.maybe_time(6);
  out.country = c.text(7);
  out.language = c.text(8);
  return out;
}

Result<std::int64_t> dataset_number(Transaction& tx, const People& people) {
  auto found = tx.row<std::int64_t>("SELECT no FROM register_dataset WHERE name = ?1",
                                    [](const Columns& c) { return c.integer(0); }, people.dataset());
  if (!found) return pass(std::move(found));
  if (*found && !people.header_changed()) return **found;
  std::optional<std::int64_t> incomplete;
  if (people.incomplete_since()) incomplete = to_micros(*people.incomplete_since());
  auto done = tx.run(
      "INSERT INTO register_dataset(name, registered, columns, tainted, incomplete_since, as_of) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(name) DO UPDATE SET registered = excluded.registered, "
      "columns = excluded.columns, tainted = excluded.tainted, incomplete_since = excluded.incomplete_since, "
      "as_of = excluded.as_of",
      people.dataset(), people.registered(), joined(people.columns()), joined(people.tainted()), incomplete,
      people.as_of());
  if (!done) return pass(std::move(done));
  if (*found) return **found;
  return tx.last_insert_id();
}

Result<void> save_people(Transaction& tx, Vault& vault, People& people, std::int64_t dataset, Time now) {
  std::vector<PersonNo> back_again;  // erased before: the row stays erased, the id goes from memory
  for (const PersonNo no : people.changed()) {
    const People::Entry& entry = people.at(no);
    if (entry.id.empty()) continue;
    const Pseudonym pseudonym = vault.pseudonym(people.dataset(), entry.id);
    auto erased = tx.row<std::optional<Time>>(
        "SELECT MAX(erased) FROM register_person WHERE pseudonym = ?1", [](const Columns& c) { return c.maybe_time(0); },
        Blob{pseudonym.view()});
    if (!erased) return pass(std::move(erased));
    const std::optional<Time> gone = *erased ? **erased : std::nullopt;
    if (gone) back_again.push_back(no);
    auto done = tx.run(
        "INSERT INTO register_person(dataset, no, pseudonym, valid_from, valid_to, listed, attributes_known, country, "
        "language, erased) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT(dataset, no) DO UPDATE SET "
        "valid_from = excluded.valid_from, valid_to = excluded.valid_to, listed = excluded.listed, "
        "attributes_known = excluded.attributes_known, country = excluded.country, language = excluded.language",
        dataset, no, Blob{pseudonym.view()}, entry.valid.from, entry.valid.to, entry.listed, entry.attributes_known,
        gone ? std::string() : entry.country, gone ? std::string() : entry.language, gone);
    if (!done) return done;
  }
  for (const People::AttributeRow& row : people.attribute_rows()) {
    if (std::find(back_again.begin(), back_again.end(), row.no) != back_again.end()) continue;
    auto done = tx.run(
        "INSERT INTO register_value(dataset, column_name, hash, no, valid_from, valid_to) "
        "VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(dataset, column_name, hash, no, valid_from) "
        "DO UPDATE SET valid_to = excluded.valid_to",
        dataset, row.column, Blob{{reinterpret_cast<const char*>(row.hash.data()), row.hash.size()}}, row.no,
        row.valid.from, row.valid.to);
    if (!done) return done;
  }
  std::vector<Person> put;
  std::map<PersonNo, std::size_t> at;
  for (const People::Change& change : people.fields()) {
    const std::string& id = people.at(change.no).id;
    if (id.empty()) continue;
    const auto seen = at.find(change.no);
    if (seen != at.end()) {
      for (auto& [name, value] : contacts(change.fields)) put[seen->second].fields[name] = value;
      add_texts(put[seen->second].fields, people, change.fields);
      continue;
    }
    Person person{people.dataset(), id, {}};
    if (!change.is_new) {
      auto before = vault.open(tx, vault.pseudonym(people.dataset(), id));
      if (before) person.fields = std::move(*before);
      else if (before.error().code != Errc::kNotFound) return pass(std::move(before));
    }
    for (auto& [name, value] : contacts(change.fields)) person.fields[name] = value;
    add_texts(person.fields, people, change.fields);
    at.emplace(change.no, put.size());
    put.push_back(std::move(person));
  }
  if (!put.empty()) {
    auto kept = vault.put(tx, put, now);
    if (!kept) return pass(std::move(kept));
  }
  tx.after_commit([&people, back_again] {
    people.saved();
    for (const PersonNo no : back_again) people.forget(no);
  });
  return {};
}

Result<void> load_people(Reader& reader, const Vault& vault, People& people, std::int64_t dataset,
                         const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  auto values = reader.each(
      "SELECT v.column_name, v.hash, v.no, v.valid_from, v.valid_to FROM register_value v "
      "JOIN register_person p ON p.dataset = v.dataset AND p.no = v.no WHERE v.dataset = ?1",
      [&](const Columns& c) {
        People::AttributeRow row;
        row.column = c.text(0);
        const std::string hash = c.text(1);
        row.hash = {};
        std::memcpy(row.hash.data(), hash.data(), std::min(hash.size(), row.hash.size()));
        row.no = static_cast<PersonNo>(c.integer(2));
        row.valid = {c.time(3), c.time(4)};
        people.restore_attribute(row);
        return true;
      },
      {Binding(dataset)});
  if (!values) return values;
  struct Row {
    PersonNo no;
    Pseudonym pseudonym;
    People::Entry entry;
    bool erased;
  };
  auto rows = reader.rows<Row>(
      "SELECT no, pseudonym, valid_from, valid_to, listed, attributes_known, country, language, erased "
      "FROM register_person WHERE dataset = ?1 ORDER BY no",
      [](const Columns& c) {
        Row row{static_cast<PersonNo>(c.integer(0)), Pseudonym::from_bytes(c.text(1)).value_or(Pseudonym{}), {},
                !c.null(8)};
        row.entry.valid = {c.time(2), c.time(3)};
        row.entry.listed = c.integer(4) != 0;
        row.entry.attributes_known = c.integer(5) != 0;
        row.entry.country = c.text(6);
        row.entry.language = c.text(7);
        return row;
      },
      dataset);
  if (!rows) return pass(std::move(rows));
  std::uint64_t done = 0;
  for (Row& row : *rows) {
    if (row.no < people.size()) return fail(Errc::kCorrupt, "the register's numbers are not in order", people.dataset());
    while (people.size() < row.no) people.restore({});  // a number that was never written
    People::Attributes texts;
    if (!row.erased) {
      auto fields = vault.open(reader, row.pseudonym);
      if (!fields && fields.error().code != Errc::kNotFound) return pass(std::move(fields));
      if (fields) {
        row.entry.id = (*fields)["id"];
        texts = texts_in(*fields);
      }
    }
    people.restore(std::move(row.entry));
    people.restore_texts(row.no, texts);
    if (progress) progress(++done, rows->size());
  }
  people.texts_restored();
  return {};
}

}  // namespace

std::span<const Migration> RegisterStore::migrations() { return kMigrations; }

HashValue RegisterStore::hash_with(std::shared_ptr<const Keys> keys) {
  return [keys = std::move(keys)](std::string_view dataset, std::string_view column, std::string_view value) {
    std::string input;
    for (const std::string_view part : {dataset, column, value}) {
      input += std::to_string(part.size());
      input += ':';
      input += part;
    }
    const std::string mac = keys->mac("register value", input);
    ValueHash out{};
    std::memcpy(out.data(), mac.data(), std::min(mac.size(), out.size()));
    return out;
  };
}

Result<void> RegisterStore::load(Reader& reader, const Vault& vault, Registers& registers,
                                 const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  struct Header {
    std::int64_t no;
    std::string name;
    bool registered;
    std::string columns, tainted;
    std::optional<Time> incomplete;
    Time as_of;
  };
  auto headers = reader.rows<Header>(
      "SELECT no, name, registered, columns, tainted, incomplete_since, as_of FROM register_dataset ORDER BY no",
      [](const Columns& c) {
        return Header{c.integer(0), c.text(1), c.integer(2) != 0, c.text(3), c.text(4), c.maybe_time(5), c.time(6)};
      });
  if (!headers) return pass(std::move(headers));
  for (const Header& h : *headers) {
    People& people = registers.of(h.name);
    people.set_header(h.registered, separated(h.columns), separated(h.tainted), h.incomplete);
    people.set_as_of(h.as_of);
    if (auto done = load_people(reader, vault, people, h.no, progress); !done) return done;
    people.saved();
  }
  return {};
}

Result<void> RegisterStore::save(Transaction& tx, Vault& vault, Registers& registers, Time now) {
  for (const auto& [name, people] : registers.all()) {
    const bool anything = people->header_changed() || !people->changed().empty() || !people->attribute_rows().empty() ||
                          !people->fields().empty();
    if (!anything) continue;
    auto dataset = dataset_number(tx, *people);
    if (!dataset) return pass(std::move(dataset));
    if (auto done = save_people(tx, vault, *people, *dataset, now); !done) return done;
  }
  return {};
}

Result<std::optional<RegisterStore::Known>> RegisterStore::find(Reader& reader, const Pseudonym& pseudonym) {
  return reader.row<Known>("SELECT " + std::string(kKnownColumns) +
                               " FROM register_person p JOIN register_dataset d ON d.no = p.dataset "
                               "WHERE p.pseudonym = ?1 ORDER BY p.no",
                           known_from, Blob{pseudonym.view()});
}

Result<std::optional<RegisterStore::Known>> RegisterStore::find(Reader& reader, std::string_view dataset, PersonNo no) {
  return reader.row<Known>("SELECT " + std::string(kKnownColumns) +
                               " FROM register_person p JOIN register_dataset d ON d.no = p.dataset "
                               "WHERE d.name = ?1 AND p.no = ?2",
                           known_from, dataset, no);
}

Result<std::vector<std::string>> RegisterStore::datasets(Reader& reader) {
  return reader.rows<std::string>("SELECT name FROM register_dataset ORDER BY name",
                                  [](const Columns& c) { return c.text(0); });
}

Result<std::uint64_t> RegisterStore::count(Reader& reader, std::string_view dataset, const Span& when) {
  auto number = reader.number(
      "SELECT COUNT(*) FROM register_person p JOIN register_dataset d ON d.no = p.dataset "
      "WHERE d.name = ?1 AND p.valid_from <= ?2 AND p.valid_to >= ?3",
      dataset, when.to, when.from);
  if (!number) return pass(std::move(number));
  return static_cast<std::uint64_t>(*number);
}

Result<std::vector<PersonNo>> RegisterStore::erased(Reader& reader, std::string_view dataset) {
  return reader.rows<PersonNo>(
      "SELECT p.no FROM register_person p JOIN register_dataset d ON d.no = p.dataset WHERE d.name = ?1 AND p.erased IS NOT NULL",
      [](const Columns& c) { return static_cast<PersonNo>(c.integer(0)); }, dataset);
}

Result<void> RegisterStore::forget(Transaction& tx, const Pseudonym& pseudonym, Time now) {
  auto rows = tx.rows<std::pair<std::int64_t, std::int64_t>>(
      "SELECT dataset, no FROM register_person WHERE pseudonym = ?1",
      [](const Columns& c) { return std::pair(c.integer(0), c.integer(1)); }, Blob{pseudonym.view()});
  if (!rows) return pass(std::move(rows));
  if (rows->empty()) return fail(Errc::kNotFound, "nobody by that pseudonym is in the register");
  for (const auto& [dataset, no] : *rows) {
    auto values = tx.run("DELETE FROM register_value WHERE dataset = ?1 AND no = ?2", dataset, no);
    if (!values) return values;
    auto person = tx.run(
        "UPDATE register_person SET country = '', language = '', attributes_known = 0, erased = ?3 "
        "WHERE dataset = ?1 AND no = ?2",
        dataset, no, now);
    if (!person) return person;
  }
  return {};
}

}  // namespace tocsin::storage
