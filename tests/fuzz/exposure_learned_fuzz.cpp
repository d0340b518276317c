// What was learned, from a stranger: restoring must refuse, or give a reader that goes on without a fault. The checksum
// is made to fit, so that what lies behind it is reached. The first byte says whether the rest are the bytes
// themselves or changes to real ones (places of three bytes, then the byte).
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>
#include <vector>

#include "engine/exposure/learned.hpp"
#include "rules/base/bytes.hpp"
#include "storage/register_store.hpp"

using namespace tocsin;
using namespace tocsin::engine;

namespace {

const char* const kLines[][3] = {
    {"CREATE VIEW", "DDL", "create view german(number) as select id from patient where country = 'DE'"},
    {"CREATE TABLE AS", "DDL", "create table copied as select * from patient where id in (1, 2)"},
    {"CREATE TABLE", "DDL", "create table t (a int, b text)"},
    {"PREPARE", "MISC", "prepare q(int) as select * from patient where id = $1"},
    {"SET", "MISC", "set role boss"},
    {"SET", "MISC", "set search_path to a, b"},
    {"BEGIN", "MISC", "begin"},
    {"DELETE", "WRITE", "delete from patient where id = 2"},
    {"INSERT", "WRITE", "insert into patient (id, country) values (77, 'FR')"},
    {"DECLARE CURSOR", "MISC", "declare c cursor with hold for select * from patient where id in (2, 3)"},
    {"INSERT", "WRITE", "prepare p(int) as insert into patient (id) values ($1)"},
    {"SELECT", "READ", "select * from german"},
    {"SELECT", "READ", "select * from copied where id = 1"},
    {"FETCH", "MISC", "fetch 2 from c"},
    {"EXECUTE", "MISC", "execute q(3)"},
    {"ROLLBACK", "MISC", "rollback"},
};

void tell(ExposureReader& reader, int from) {
  std::uint64_t number = static_cast<std::uint64_t>(from);
  for (const auto& line : kLines) {
    for (const char* session : {"s1", "s2"}) {
      Access a;
      a.time = from_micros(1'800'000'000'000'000 + static_cast<std::int64_t>(++number) * 1000);
      a.origin = {"db", "log", number, 0};
      a.actor.account = "mallory";
      a.actor.session = session;
      a.outcome = Outcome::kSuccess;
      a.statement.command = line[0];
      a.statement.audit_class = line[1];
      a.statement.text = line[2];
      a.statement.parameters_known = std::string_view(line[1]) != "WRITE";
      a.statement.number = number;
      if (session[1] == '2') a.resource.system = "mariadb";
      std::vector<Reach> out;
      reader.read(a, out);
    }
  }
}

storage::Registers& some_people() {
  static storage::Registers registers{storage::process_hash()};
  std::istringstream csv("id,country\n1,DE\n2,FR\n3,DE\n");
  storage::ImportOptions import;
  import.dataset = "patient";
  if (!storage::import_register(csv, import, registers)) std::abort();
  return registers;
}

DatasetMap patients() {
  DatasetMap map;
  map.add({"patient", "id", {{"patient", "id"}}, {}});
  return map;
}

ExposureReader::Options tight() {
  ExposureReader::Options options;
  options.max_sessions = 20;
  options.max_relations = 50;
  options.max_cursors = 5;
  options.max_prepared = 5;
  return options;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static storage::Registers& registers = some_people();
  static const DatasetMap map = patients();
  static const ExposureReader::Options options = tight();
  static const std::string real = [] {
    ExposureReader reader(map, registers, options);
    tell(reader, 0);
    return reader.save().bytes;
  }();
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::string bytes(rest);
  if (data[0] % 2 != 0) {
    bytes = real;
    for (std::size_t i = 0; i + 4 <= rest.size(); i += 4) {
      std::uint32_t place = 0;
      std::memcpy(&place, rest.data() + i, 3);
      bytes[place % bytes.size()] = rest[i + 3];
    }
  }
  constexpr std::size_t kHead = 8 + 4 + 32;
  if (bytes.size() >= kHead) {
    const Sha256 sum = sha256(std::string_view(bytes).substr(kHead));
    bytes.replace(12, 32, bytes_of(sum));
  }
  ExposureReader reader(map, registers, options);
  if (!reader.restore(bytes)) {
    if (reader.save().counts.sessions != 0) std::abort();
    return 0;
  }
  const std::string again = reader.save().bytes;
  ExposureReader twin(map, registers, options);
  if (!twin.restore(again) || twin.save().bytes != again) std::abort();
  tell(reader, 1000);
  return 0;
}
