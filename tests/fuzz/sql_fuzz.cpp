// SQL reading on any bytes, and on statements grown from the bytes by a small grammar: no crash, no leak, and
// never a condition narrower than its statement: each generated statement's true people (found by walking the
// grammar's own tree over a toy table) must be inside the evaluated set.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/exposure/evaluate.hpp"
#include "engine/sql/reading.hpp"

namespace {

using namespace tocsin;
using namespace tocsin::engine;

constexpr int kPeople = 40;
const char* const kCountries[] = {"DE", "AT", "FR"};

struct Row {
  int id;
  const char* country;
};

class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  unsigned next(unsigned below) { return at_ < size_ ? data_[at_++] % below : 0; }

 private:
  const std::uint8_t* data_;
  std::size_t size_, at_ = 0;
};

// A condition and its meaning.
struct Condition {
  std::string text;
  bool holds[kPeople];
};

Row row(int i) { return {i, kCountries[i % 3]}; }

template <class Holds>
Condition leaf(std::string text, Holds holds) {
  Condition c{std::move(text), {}};
  for (int i = 0; i < kPeople; ++i) c.holds[i] = holds(row(i));
  return c;
}

Condition grow(Bytes& bytes, const std::string& alias, int depth) {
  const int n = static_cast<int>(bytes.next(kPeople)), m = static_cast<int>(bytes.next(kPeople));
  const std::string id = alias + "id", a = std::to_string(n), b = std::to_string(m);
  switch (bytes.next(depth > 3 ? 8 : 12)) {
    case 0: return leaf(id + " = " + a, [=](Row r) { return r.id == n; });
    case 1: return leaf(id + " < " + a, [=](Row r) { return r.id < n; });
    case 2: return leaf(a + " <= " + id, [=](Row r) { return n <= r.id; });
    case 3: return leaf(id + " IN (" + a + ", '" + b + "')", [=](Row r) { return r.id == n || r.id == m; });
    case 4: return leaf(id + " BETWEEN " + a + " AND " + b, [=](Row r) { return n <= r.id && r.id <= m; });
    case 5: return leaf(id + " = ANY ('{" + a + "," + b + "}')", [=](Row r) { return r.id == n || r.id == m; });
    case 6: {
      const char* country = kCountries[n % 3];
      return leaf(alias + "country = '" + country + "'", [=](Row r) { return r.country == country; });
    }
    case 7: return leaf(id + " <> " + a, [=](Row r) { return r.id != n; });
    case 8:
    case 9: {
      const Condition x = grow(bytes, alias, depth + 1), y = grow(bytes, alias, depth + 1);
      Condition c{"(" + x.text + " AND " + y.text + ")", {}};
      for (int i = 0; i < kPeople; ++i) c.holds[i] = x.holds[i] && y.holds[i];
      return c;
    }
    case 10: {
      const Condition x = grow(bytes, alias, depth + 1), y = grow(bytes, alias, depth + 1);
      Condition c{"(" + x.text + " OR " + y.text + ")", {}};
      for (int i = 0; i < kPeople; ++i) c.holds[i] = x.holds[i] || y.holds[i];
      return c;
    }
    default: {
      const Condition x = grow(bytes, alias, depth + 1);
      Condition c{"NOT (" + x.text + ")", {}};
      for (int i = 0; i < kPeople; ++i) c.holds[i] = !x.holds[i];
      return c;
    }
  }
}

storage::People& people() {
  static storage::People all("patient", storage::process_hash());
  if (all.size() == 0) {
    all.set_header(true, {"country"}, {}, std::nullopt);
    for (int i = 0; i < kPeople; ++i) all.add(std::to_string(i), storage::kAlways, {{"country", row(i).country}}, true);
  }
  return all;
}

void contains(const std::string& statement, const bool (&truth)[kPeople]) {
  const auto reading = sql::read_afresh(statement);
  if (!reading) std::abort();
  const sql::Query& query = reading->statements.front().query;
  PeopleSet reported;
  reported.all = false;
  for (std::size_t i = 0; i < query.sources.size(); ++i) {
    if (query.sources[i].use == sql::Use::kNone) continue;
    EvaluationInput input{query, {}, &people(), {}, [](int) { return std::string("id"); },
                          [](int, const std::string&) { return false; }, 1000, false};
    reported = unite(std::move(reported), evaluate(input, static_cast<int>(i), {"patient", "id", true, true}));
  }
  if (reported.all) return;
  for (int i = 0; i < kPeople; ++i) {
    const auto no = people().find(std::to_string(i));
    if (truth[i] && !std::binary_search(reported.people.begin(), reported.people.end(), *no)) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto any = sql::read_afresh({reinterpret_cast<const char*>(data), size});
  if (any) (void)sql::describe(*any);
  Bytes bytes(data, size);
  const unsigned shape = bytes.next(5);
  const Condition a = grow(bytes, "p.", 0);
  switch (shape) {
    case 0: contains("SELECT p.name FROM patient p WHERE " + a.text, a.holds); break;
    case 1: {
      const Condition b = grow(bytes, "s.", 0);
      bool both[kPeople];
      for (int i = 0; i < kPeople; ++i) both[i] = a.holds[i] && b.holds[i];
      contains("SELECT s.name FROM (SELECT * FROM patient p WHERE " + a.text + ") s WHERE " + b.text, both);
      break;
    }
    case 2: {
      const Condition b = grow(bytes, "q.", 0);
      bool either[kPeople];
      for (int i = 0; i < kPeople; ++i) either[i] = a.holds[i] || b.holds[i];
      contains("SELECT p.name FROM patient p WHERE " + a.text + " UNION ALL SELECT q.name FROM patient q WHERE " + b.text, either);
      break;
    }
    case 3: {
      const Condition b = grow(bytes, "v.", 0);
      bool both[kPeople];
      for (int i = 0; i < kPeople; ++i) both[i] = a.holds[i] && b.holds[i];
      contains("SELECT p.name, v.x FROM patient p JOIN patient v ON v.id = p.id AND " + b.text + " WHERE " + a.text, both);
      break;
    }
    default: {
      const Condition b = grow(bytes, "v.", 0);
      contains("SELECT p.name, v.x FROM patient p LEFT JOIN patient v ON v.id = p.id AND " + b.text + " WHERE " + a.text, a.holds);
    }
  }
  return 0;
}
