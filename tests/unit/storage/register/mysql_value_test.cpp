// How values compare in MySQL, whatever the column's type and collation are: never surely what might be otherwise. And the
// people that an index of folded texts finds are those whom looking at every value finds.
#include "storage/mysql_value.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "storage/people.hpp"

namespace tocsin::storage {
namespace {

ValueShape shape_of(const std::vector<std::string>& values) {
  ValueShape out;
  for (const std::string& v : values) out.see(v);
  return out;
}

std::string show(const Order& o) { return std::string(o.less ? "<" : "") + (o.equal ? "=" : "") + (o.greater ? ">" : ""); }

TEST(MysqlValue, ComparesByWhatTheColumnMayBe) {
  const ValueShape integers = shape_of({"5", "1", "0"}), numbers = shape_of({"70.5", "8.1"}), years = shape_of({"1999", "2026"}),
                   dates = shape_of({"1950-01-02", "2001-12-31"}), moments = shape_of({"1950-01-02 10:00:00"}), texts = shape_of({"Anna", "5"}),
                   uuids = shape_of({"1b4e28ba-2fa1-11d2-883f-0016d3cca427"});
  struct Row { const char* name; const ValueShape& shape; const char *value, *literal; bool number; const char* order; };
  for (const Row& row : {
           Row{"integers", integers, "5", "12", true, "<"}, Row{"the same", integers, "5", "5", true, "="}, Row{"zero", integers, "0", "1", true, "<"},
           Row{"digits in quotes may be text", integers, "5", "12", false, "<>"}, Row{"a text that becomes a number", integers, "5", "5abc", false, "<=>"},
           Row{"leading zeros in quotes", integers, "5", "05", false, "<=>"}, Row{"a half", numbers, "70.5", "70.50", true, "="},
           Row{"a tenth, which FLOAT does not hold", numbers, "8.1", "8.1", true, "<=>"}, Row{"numbers apart", numbers, "70.5", "70.6", true, "<"},
           Row{"an exponent is not read", numbers, "8.1", "8e0", true, "<=>"}, Row{"two digits of a year", years, "1999", "99", true, "<=>"},
           Row{"year '0' is 2000", integers, "0", "0", false, "<=>"},
           Row{"dates", dates, "1950-01-02", "1950-01-03", false, "<"}, Row{"same date", dates, "1950-01-02", "1950-01-02", false, "="},
           Row{"a date as a number", dates, "1950-01-02", "19500102", true, "<=>"}, Row{"a date in another form", dates, "1950-01-02", "1950-1-2", false, "<=>"},
           Row{"another zone", moments, "1950-01-02 10:00:00", "1950-01-02 11:00:00", false, "<=>"},
           Row{"texts", texts, "Anna", "Bela", false, "<>"}, Row{"the same text", texts, "Anna", "Anna", false, "="}, Row{"case", texts, "Anna", "ANNA", false, "<=>"},
           Row{"blanks at the end", texts, "DE", "DE  ", false, "<=>"}, Row{"blanks before", texts, "DE", " DE", false, "<>"},
           Row{"Roman", texts, "Julius", "IVLIVS", false, "<=>"}, Row{"Lithuanian", texts, "Yla", "Ila", false, "<=>"},
           Row{"an accent", texts, "Dörte", "dorte", false, "<=>"}, Row{"an accent elsewhere", texts, "Dörte", "Marta", false, "<>"},
           Row{"two letters for one", texts, "Straße", "strasse", false, "<=>"}, Row{"an accent of its own sign", texts, "mu\xCC\x88ller", "myller", false, "<=>"},
           Row{"a text beside a number", texts, "Anna", "0", true, "<=>"}, Row{"the place of a label", texts, "Anna", "1", false, "<=>"},
           Row{"a control sign counts for nothing", texts, "An\x01na", "Anna", false, "<=>"},
           Row{"an address", texts, "::1", "0:0:0:0:0:0:0:1", false, "<=>"}, Row{"a time", texts, "08:00:00", "8:00", false, "<=>"},
           Row{"an empty text", texts, "\"\"", "", false, "="}, Row{"an empty text is no name", texts, "\"\"", "Anna", false, "<>"},
           Row{"uuid", uuids, "1b4e28ba-2fa1-11d2-883f-0016d3cca427", "1B4E28BA2FA111D2883F0016D3CCA427", false, "<=>"},
       }) {
    EXPECT_EQ(show(compare_mysql(row.value, {row.literal, row.number, false}, row.shape, true)), row.order) << row.name;
  }
  EXPECT_EQ(show(compare_mysql("5", {"true", false, true}, integers, true)), "=") << "WHERE active: whatever is not zero";
  EXPECT_EQ(show(compare_mysql("0", {"true", false, true}, integers, true)), "<");
  EXPECT_EQ(show(compare_mysql("Anna", {"true", false, true}, texts, true)), "<=>");
  EXPECT_EQ(show(compare_mysql("", {"Anna", false, false}, texts, true)), "") << "NULL";
  EXPECT_EQ(show(compare_mysql("x", {"y", false, false}, ValueShape{}, true)), "<=>") << "nothing is known of the column";
}

TEST(MysqlValue, Like) {
  const ValueShape texts = shape_of({"Anna"}), numbers = shape_of({"70.5"}), integers = shape_of({"5"});
  struct Row { const char* name; const ValueShape& shape; const char *value, *pattern; bool holds, fails; };
  for (const Row& row : {
           Row{"prefix", texts, "Person 12", "Person 1%", true, false}, Row{"not the prefix", texts, "Person 2", "Person 1%", false, true},
           Row{"another case", texts, "person 12", "Person 1%", true, true}, Row{"equal letters", texts, "Vera", "Wer_", true, true},
           Row{"escaped", texts, "a%b", "a\\%b%", true, false}, Row{"an accent", texts, "Dörte", "D%", true, true},
           Row{"digits", integers, "512", "5%", true, false}, Row{"how a fraction is printed", numbers, "70.5", "70.50", true, true},
       }) {
    const Verdict v = like_mysql(row.value, row.pattern, row.shape);
    EXPECT_EQ(v.holds, row.holds) << row.name;
    EXPECT_EQ(v.fails, row.fails) << row.name;
  }
}

// Random texts of few letters, so that many are equal in one way or another; people change and leave meanwhile.
TEST(MysqlValue, TheIndexFindsWhomLookingAtAllFinds) {
  std::mt19937 random(20261124);
  const std::vector<std::string> letters = {"a", "A", "i", "J", "y", "v", "u", " ", "1", ":", ".", "ö", "\x01", "-"};
  const auto text = [&] {
    std::string out;
    for (std::size_t n = random() % 4; n > 0; --n) out += letters[random() % letters.size()];
    return out.empty() ? std::string(kEmptyText) : out;
  };
  People people("patient", process_hash());
  people.set_header(true, {"name"}, {}, std::nullopt);
  people.add("0", kAlways, {{"name", "Anna"}}, true);  // a column of texts
  const Span now{};
  for (int round = 0; round < 2'000; ++round) {
    const PersonNo no = people.add(std::to_string(random() % 300), kAlways, {{"name", text()}}, true);
    if (random() % 10 == 0) people.change(no, Time{} + std::chrono::seconds(round), kForever, {{"name", text()}});
    if (random() % 40 == 0) people.forget(no);
    const std::string wanted = text();
    const std::string literal = wanted == kEmptyText ? "" : wanted;
    const ValueShape* shape = people.shape("name");
    if (shape == nullptr || shape->typed() || !mysql_equals_by_fold(literal)) continue;
    const People::Judge judge = [&](std::string_view value) {
      const Order order = compare_mysql(value, {literal, false, false}, *shape, true);
      return Verdict{order.equal, order.less || order.greater};
    };
    ASSERT_EQ(people.judged_equals("name", {literal}, judge, now), people.judged("name", true, judge, now)) << literal << " in round " << round;
  }
}

}  // namespace
}  // namespace tocsin::storage
