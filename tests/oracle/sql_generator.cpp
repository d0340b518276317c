// Everything a condition says, its judge (SQLite) says too, with three truths: NULLs stand in every column but the key.
#include "tests/oracle/sql_generator.hpp"

namespace tocsin::oracle {
namespace {

constexpr const char* kCountries[] = {"DE", "AT", "FR", "NL"};
constexpr const char* kWards[] = {"surgery", "oncology", "maternity"};
constexpr const char* kNames[] = {"Anna", "anna", "Bela", "Çağla", "O''Brien", "Person 1", "Person 12", "Person 2", "100% sure"};
constexpr const char* kCompare[] = {"=", "<>", "<", "<=", ">", ">="};

}  // namespace

std::string SqlGenerator::country() { return std::string("'") + one_of(kCountries) + "'"; }

std::string SqlGenerator::day() {
  const auto two = [&](std::size_t low, std::size_t high) {
    const std::size_t n = low + below(high - low + 1);
    return (n < 10 ? "0" : "") + std::to_string(n);
  };
  return "'19" + two(10, 99) + "-" + two(1, 12) + "-" + two(1, 28) + "'";
}

std::string SqlGenerator::about_patient(const std::string& k) {
  const std::string n = number(), m = number();
  const auto untold = [&](std::string text) {
    tight_ = false;
    return text;
  };
  switch (below(38)) {
    case 0: return k + "id = " + n;
    case 1: return k + "id < " + n;
    case 2: return n + " >= " + k + "id";
    case 3: return k + "id between " + n + " and " + m;
    case 4: return k + "id not between " + n + " and " + m;
    case 5: return k + "id in (" + n + ", " + m + ", " + number() + ")";
    case 6: return k + "id not in (" + n + ", " + m + ")";
    case 7: return k + "id <> " + n;
    case 8: return k + "id = '" + n + "'";
    case 9: return k + "country = " + country();
    case 10: return k + "country <> " + country();
    case 11: return k + "country in (" + country() + ", " + country() + ")";
    case 12: return k + "country not in (" + country() + ", " + country() + ")";
    case 13: return k + "country is null";
    case 14: return k + "email is not null";
    case 15: return k + "country is distinct from " + country();
    case 16: return k + "country is not distinct from " + country();
    case 17: return k + "name like 'Person 1%'";
    case 18: return k + "name not like 'Person 1%'";
    case 19: return k + "birth_date " + one_of(kCompare) + " " + day();
    case 20: return k + "birth_date between " + day() + " and " + day();
    case 21: return k + "birth_date is null";
    case 22: return k + "weight " + one_of(kCompare) + " " + std::to_string(40 + below(60));
    case 23: return k + "active";
    case 24: return k + "active = true";
    case 25: return "(" + k + "id, " + k + "country) = (" + n + ", " + country() + ")";
    // What no register decides: collations, cases, floats, functions, other tables.
    case 26: return untold(k + "name = '" + one_of(kNames) + "'");
    case 27: return untold(k + "name <> '" + one_of(kNames) + "'");
    case 28: return untold(k + "name like '%" + std::to_string(below(10)) + "'");
    case 29: return untold(k + "email like 'p_" + std::to_string(below(10)) + "%'");
    case 30: return untold(k + "name < 'C'");
    case 31: return untold(k + "id % 3 = " + std::to_string(below(3)));
    case 32: return untold("exists (select 1 from visit w where w.patient_id = " + k + "id and w.ward = 'surgery')");
    case 33: return untold(k + "id in (select patient_id from visit where ward = 'oncology')");
    case 34: return untold("(" + k + "country = 'DE') is not true");
    case 35: return untold(k + "weight " + std::string(one_of(kCompare)) + " " + std::to_string(40 + below(60)) + ".5");
    case 36: return untold(k + "country = null");
    default: return untold("coalesce(" + k + "country, 'DE') = 'DE'");
  }
}

std::string SqlGenerator::about_visit(const std::string& k) {
  tight_ = false;
  const std::string n = number();
  switch (below(7)) {
    case 0: return k + "patient_id = " + n;
    case 1: return k + "patient_id < " + n;
    case 2: return k + "patient_id in (" + n + ", " + number() + ")";
    case 3: return k + "patient_id <> " + n;
    case 4: return k + "ward is null";
    case 5: return "not " + k + "ward = '" + one_of(kWards) + "'";
    default: return k + "ward = '" + one_of(kWards) + "'";
  }
}

std::string SqlGenerator::condition(const std::string& p, const std::string& v, int depth) {
  if (depth < 4 && below(10) < 4) {
    const char* word = one_of({" and ", " or ", " and not ", " or not "});
    const std::string a = condition(p, v, depth + 1);
    return "(" + a + word + condition(p, v, depth + 1) + ")";
  }
  if (depth < 4 && below(10) == 0) return "not (" + condition(p, v, depth + 1) + ")";
  const bool visit = p.empty() || (!v.empty() && below(3) == 0);
  return visit ? about_visit(v + ".") : about_patient(p + ".");
}

RandomQuery SqlGenerator::query() {
  tight_ = true;
  RandomQuery out;
  const char* shown = one_of({"p.name", "*", "p.id, p.email", "upper(p.name)", "p.country"});
  const std::size_t shape = below(15);
  switch (shape) {
    case 0:
    case 1:
    case 2:
    case 3: {
      const std::string where = condition("p", "");
      out = {std::string("select ") + shown + " from patient p where " + where, "select p.id from patient p where " + where, false, tight_};
      return out;
    }
    case 4: {
      const std::string rest = "patient p where " + condition("p", "") + " order by p.id limit " + std::to_string(below(12)) + " offset " + std::to_string(below(6));
      out = {std::string("select ") + shown + " from " + rest, "select p.id from " + rest, false, false};
      break;
    }
    case 5: {
      const std::string where = condition("", "v");
      out = {"select v.ward, v.patient_id from visit v where " + where, "select v.patient_id from visit v where " + where, false, false};
      break;
    }
    case 6: {
      const std::string rest = "patient p join visit v on v.patient_id = p.id and " + condition("p", "v") + " where " + condition("p", "v");
      out = {"select p.name, v.ward from " + rest, "select p.id from " + rest, false, false};
      break;
    }
    case 7: {
      const std::string rest = "patient p left join visit v on v.patient_id = p.id and " + condition("p", "v") + " where " + condition("p", "v");
      out = {"select p.name, v.ward from " + rest, "select p.id from " + rest, false, false};
      break;
    }
    case 8: {
      const std::string rest = "visit v left join patient p on v.patient_id = p.id and " + condition("p", "v") + " where " + condition("p", "v");
      out = {"select v.ward, p.name from " + rest, "select v.patient_id from " + rest + " union select p.id from " + rest, false, false};
      break;
    }
    case 9: {
      const std::string rest = "patient p full join visit v on v.patient_id = p.id and " + condition("p", "v") + " where " + condition("p", "v");
      out = {"select v.ward, p.name from " + rest, "select v.patient_id from " + rest + " union select p.id from " + rest, false, false};
      break;
    }
    case 10: {
      const std::string a = condition("p", ""), b = condition("q", "");
      const char* word = one_of({"union", "union all", "intersect", "except"});
      const bool except = std::string(word) == "except";
      // The rows that EXCEPT leaves come from the left side; whom INTERSECT's rows are about, both sides tell.
      out.text = "select p.name, p.id from patient p where " + a + " " + word + " select q.name, q.id from patient q where " + b;
      out.who = "select p.id from patient p where " + a + (except ? " except" : std::string(word) == "intersect" ? " intersect" : " union") +
                " select q.id from patient q where " + b;
      break;
    }
    case 11: {
      const std::string inner = "select * from patient p where " + condition("p", "") + (below(2) == 0 ? " order by p.id limit " + std::to_string(1 + below(20)) : "");
      const std::string where = condition("s", "");
      out = {"select s.name from (" + inner + ") s where " + where, "select s.id from (" + inner + ") s where " + where, false, false};
      break;
    }
    case 12: {
      const std::string inner = "with w as (select p.id as number, p.name, p.country from patient p where " + condition("p", "") + ") ";
      const std::string where = one_of({"w.number < 20", "not w.country = 'DE'", "w.country is null or w.number = 7", "w.name like 'Person%'"});
      out = {inner + "select w.name from w where " + where, inner + "select w.number from w where " + where, false, false};
      break;
    }
    case 13: {
      const std::string where = condition("p", "");
      const char* many = one_of({"select p.country, max(p.name) from patient p where ", "select distinct p.country, p.name from patient p where ",
                                 "select p.name, row_number() over (order by p.id) from patient p where "});
      const bool grouped = std::string(many).find("max") != std::string::npos;
      // Of a group only one is shown; any of them may be, so nobody is surely in it: those of the groups with one member.
      out.text = many + where + (grouped ? " group by p.country" : "");
      out.partly = grouped;
      out.who = grouped ? "select min(p.id) from patient p where " + where + " group by p.country having count(*) = 1" : "select p.id from patient p where " + where;
      break;
    }
    default: {
      const std::string where = condition("p", "");
      out = {"select p.name, (select max(v.ward) from visit v where v.patient_id = p.id) from patient p where " + where,
             "select p.id from patient p where " + where, false, false};
    }
  }
  return out;
}

std::vector<std::string> SqlGenerator::tables() {
  std::vector<std::string> out = {
      "create table patient(id integer primary key, name text not null, email text, birth_date text, country text, weight numeric, active integer)",
      "create table visit(id integer primary key, patient_id integer not null, ward text)"};
  csv_ = "id,name,email,birth_date,country,weight,active\n";
  for (int i = 1; i <= people_; ++i) {
    const std::string id = std::to_string(i);
    const std::string name = one_of(kNames);
    const std::string email = i % 7 == 0 ? "" : i == 18 ? "\"\"" : (i % 5 == 0 ? "P" : "p") + id + "@example.org";
    const std::string birth = i % 6 == 0 ? "" : day().substr(1, 10), land = i % 8 == 0 ? "" : one_of(kCountries);
    const std::string weight = i % 9 == 0 ? "" : std::to_string(40 + below(60)), active = i % 5 == 0 ? "" : i % 2 == 0 ? "t" : "f";
    const auto sql = [](const std::string& text) { return text.empty() ? std::string("null") : text == "\"\"" ? std::string("''") : "'" + text + "'"; };
    out.push_back("insert into patient values (" + id + ", '" + name + "', " + sql(email) + ", " + sql(birth) + ", " + sql(land) + ", " +
                  (weight.empty() ? "null" : weight) + ", " + (active.empty() ? "null" : active == "t" ? "1" : "0") + ")");
    std::string plain = name;
    if (const std::size_t at = plain.find("''"); at != std::string::npos) plain.erase(at, 1);
    csv_ += id + "," + plain + "," + email + "," + birth + "," + land + "," + weight + "," + active + "\n";
  }
  for (int i = 1; i <= people_ * 2; ++i) {
    const bool no_ward = below(6) == 0;
    out.push_back("insert into visit values (" + std::to_string(i) + ", " + number() + ", " + (no_ward ? std::string("null") : std::string("'") + one_of(kWards) + "'") + ")");
  }
  return out;
}

}  // namespace tocsin::oracle
