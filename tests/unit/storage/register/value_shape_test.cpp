// How values compare where the column's type is not known: never surely what might be otherwise.
#include "storage/value_shape.hpp"

#include <gtest/gtest.h>

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

TEST(ValueShape, ComparesByWhatTheColumnMayBe) {
  const ValueShape integers = shape_of({"5", "12", "-3"}), numbers = shape_of({"70.5", "8"}), dates = shape_of({"1950-01-02", "2001-12-31"}),
                   moments = shape_of({"1950-01-02 10:00:00+01"}), booleans = shape_of({"t", "f"}), texts = shape_of({"Anna", "5"}),
                   uuids = shape_of({"1b4e28ba-2fa1-11d2-883f-0016d3cca427"});
  struct Row { const char* name; const ValueShape& shape; const char *value, *literal; bool number; const char* order; };
  for (const Row& row : {
           Row{"integers", integers, "5", "12", true, "<"}, Row{"digits in quotes may be text", integers, "5", "12", false, "<>"},
           Row{"equal digits in quotes", integers, "5", "5", false, "="}, Row{"leading zeros in quotes", integers, "5", "05", false, "=>"},
           Row{"fraction", integers, "5", "4.5", true, ">"}, Row{"exponent", integers, "12", "1.2e1", true, "="},
           Row{"decimal", numbers, "70.5", "70.50", true, "<=>"},  // a float may be a little less or more
           Row{"decimals apart", numbers, "70.5", "70.6", true, "<"}, Row{"minus", numbers, "8", "-9.5", true, ">"},
           Row{"no number", numbers, "8", "eight", false, "<=>"},
           Row{"dates", dates, "1950-01-02", "1950-01-03", false, "<"}, Row{"same date", dates, "1950-01-02", "1950-01-02", false, "="},
           Row{"date in another form", dates, "1950-01-02", "Jan 2 1950", false, "<=>"}, Row{"date and time of that day", dates, "1950-01-02", "1950-01-02 12:00", false, "<=>"},
           Row{"another zone", moments, "1950-01-02 10:00:00+01", "1950-01-03", false, "<=>"}, Row{"days apart", moments, "1950-01-02 10:00:00+01", "1950-01-09", false, "<>"},
           Row{"truth", booleans, "t", "yes", false, "<=>"}, Row{"false", booleans, "f", "true", false, "<>"},
           Row{"texts", texts, "Anna", "Bela", false, "<>"}, Row{"same text", texts, "Anna", "Anna", false, "="}, Row{"case", texts, "Anna", "anna", false, "<=>"},
           Row{"blanks of char(n)", texts, "DE", "DE ", false, "<=>"}, Row{"letters that are not ASCII", texts, "Çağla", "ÇAĞLA", false, "<=>"},
           Row{"none in a typed column", numbers, "", "5", false, ""}, Row{"none may be an empty text", texts, "", "", false, "="},
           Row{"an empty text", texts, "\"\"", "", false, "<=>"},
           Row{"uuid", uuids, "1b4e28ba-2fa1-11d2-883f-0016d3cca427", "{1B4E28BA-2FA1-11D2-883F-0016D3CCA427}", false, "<=>"},
       }) {
    EXPECT_EQ(show(compare(row.value, {row.literal, row.number, false}, row.shape, false)), row.order) << row.name;
  }
  EXPECT_EQ(show(compare("t", {"true", false, true}, booleans, false)), "=");
  EXPECT_EQ(show(compare("", {"Anna", false, false}, texts, true)), "") << "declared: an empty field is NULL";
  EXPECT_EQ(show(compare("x", {"y", false, false}, ValueShape{}, false)), "<=>") << "nothing is known of the column";
}

TEST(ValueShape, Like) {
  struct Row { const char *name, *value, *pattern; bool fold, holds, fails; };
  for (const Row& row : {
           Row{"prefix", "Person 12", "Person 1%", false, true, false}, Row{"not the prefix", "Person 2", "Person 1%", false, false, true},
           Row{"another case may be a citext", "person 12", "Person 1%", false, true, true}, Row{"ilike", "person 12", "PERSON%", true, true, true},
           Row{"one letter", "Dörte", "D_rte", false, true, false}, Row{"escaped", "a%b", "a\\%b%", false, true, false}, Row{"escaped, other", "axb", "a\\%b%", false, false, true},
           Row{"whole", "DE", "DE", false, true, false}, Row{"blanks of char(n)", "DE ", "DE", false, true, true}, Row{"middle", "one two three", "%two%", false, true, false},
           Row{"many stars", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "%a%a%a%a%a%a%c", false, false, true}, Row{"all", "", "%", false, true, false},
       }) {
    const Verdict v = like(row.value, row.pattern, row.fold);
    EXPECT_EQ(v.holds, row.holds) << row.name;
    EXPECT_EQ(v.fails, row.fails) << row.name;
  }
}

// A value that goes to NULL: both may hold until the change surely took effect, and only NULL after.
TEST(ValueShape, NullsHaveTheirTime) {
  People people("patient", process_hash());
  people.set_header(true, {"country"}, {}, std::nullopt);
  const Time noon{std::chrono::hours(12)};
  const PersonNo a = people.add("1", kAlways, {{"country", "DE"}}, true), b = people.add("2", kAlways, {{"country", ""}}, true);
  people.change(a, noon, noon + std::chrono::seconds(60), {{"country", ""}});
  const auto none = [&](Time from, Time to, bool wanted) {
    return *people.judged("country", wanted, [](std::string_view v) { return v.empty() ? Verdict{true, false} : Verdict{false, true}; }, {from, to});
  };
  const Time before = noon - std::chrono::seconds(9), between = noon + std::chrono::seconds(9), after = noon + std::chrono::minutes(9);
  EXPECT_EQ(none(before, before, true), std::vector<PersonNo>({b}));
  EXPECT_EQ(none(before, before, false), std::vector<PersonNo>({a}));
  EXPECT_EQ(none(between, between, true), std::vector<PersonNo>({a, b}));
  EXPECT_EQ(none(between, between, false), std::vector<PersonNo>({a}));
  EXPECT_EQ(none(after, after, false), std::vector<PersonNo>());
  EXPECT_EQ(none(before, after, true), std::vector<PersonNo>({a, b}));
  people.forget(a);
  EXPECT_EQ(none(before, before, false), std::vector<PersonNo>()) << "an erased person's values are gone";
}

}  // namespace
}  // namespace tocsin::storage
