// The values of a reading stand in the conditions of its queries, in its writes and in the arguments of an EXECUTE:
// each_value is the list of these places. A member that holds values must be added there.
#include "engine/sql/bind.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

namespace tocsin::engine::sql {
namespace {

template <class Reading, class Each>
void each_value(Reading& reading, Each&& each) {
  for (auto& s : reading.statements) {
    for (auto& p : s.query.predicates) {
      for (auto& v : p.values) each(v);
      if (p.low) each(*p.low);
      if (p.high) each(*p.high);
    }
    each(s.query.limit_parameter);
    each(s.query.skipped);
    for (auto& w : s.writes) {
      for (auto& row : w.rows) {
        for (auto& v : row) each(v);
      }
      for (auto& set : w.set) each(set.second);
    }
    for (auto& v : s.arguments) each(v);
  }
}

const Literal& of(const std::vector<Literal>& literals, int number) {
  return literals[static_cast<std::size_t>(std::abs(number)) - 1];
}

bool has_value(Tree constant, const Literal& literal, bool negative) {
  const std::string text = with_sign(literal, negative);
  switch (literal.kind) {
    case Literal::Kind::kString: return !negative && constant.at("sval") && constant.at("sval").text("sval") == text;
    case Literal::Kind::kInteger: {
      if (!constant.at("ival")) return false;
      const std::int64_t printed = constant.at("ival").number("ival");  // nothing for what is not above zero
      return printed == 0 ? negative || text == "0" : std::to_string(printed) == text;
    }
    case Literal::Kind::kDigits:
    case Literal::Kind::kDecimal: return constant.at("fval") && constant.at("fval").text("fval") == text;
  }
  return false;
}

std::size_t footprint(const std::string& s) { return sizeof(std::string) + (s.capacity() > 15 ? s.capacity() : 0); }
std::size_t footprint(const Value& v) { return sizeof(Value) + footprint(v.text); }
std::size_t footprint(const Column& c) { return sizeof(Column) + c.candidates.size() * sizeof(int) + footprint(c.name); }
std::size_t footprint(const Output& o) { return sizeof(Output) + footprint(o.name) + footprint(o.column); }
template <class T>
std::size_t footprint(const std::vector<T>& all) {
  std::size_t out = 0;
  for (const T& one : all) out += footprint(one);
  return out;
}

}  // namespace

int literal_at(const std::vector<Literal>& literals, Tree constant) {
  const auto location = static_cast<std::size_t>(std::max<std::int64_t>(constant.number("location"), 0));
  // The minus of a number is before it and after the constant that precedes it.
  const auto found = std::lower_bound(literals.begin(), literals.end(), location, [](const Literal& l, std::size_t at) { return l.at < at; });
  if (found == literals.end()) return 0;
  const int number = static_cast<int>(found - literals.begin()) + 1;
  if (found->at == location) return number;
  return found->minus_at == location && location > 0 ? -number : 0;
}

void see_constants(Tree tree, std::vector<Literal>& literals) {
  if (const Tree constant = tree.at("A_Const")) {
    const int number = literal_at(literals, constant);
    if (number != 0 && has_value(constant, of(literals, number), number < 0)) literals[static_cast<std::size_t>(std::abs(number)) - 1].seen = true;
    return;
  }
  tree.children([&](Tree child) { see_constants(child, literals); });
}

void settle(Reading& reading, std::vector<Literal>& literals) {
  each_value(reading, [&](const Value& v) {
    if (v.literal == 0 || v.text == with_sign(of(literals, v.literal), v.literal < 0)) return;
    literals[static_cast<std::size_t>(std::abs(v.literal)) - 1].pinned = true;
  });
  each_value(reading, [&](Value& v) {
    if (v.literal != 0 && (!of(literals, v.literal).seen || of(literals, v.literal).pinned)) v.literal = 0;
  });
}

void renumber(Reading& reading, const std::vector<int>& to) {
  each_value(reading, [&](Value& v) {
    if (v.literal != 0) v.literal = to[static_cast<std::size_t>(std::abs(v.literal)) - 1] * (v.literal < 0 ? -1 : 1);
  });
}

Reading bind(const Reading& reading, const std::vector<Literal>& literals) {
  Reading out = reading;
  each_value(out, [&](Value& v) {
    if (v.literal == 0) return;
    v.text = with_sign(of(literals, v.literal), v.literal < 0);
    v.literal = 0;
  });
  return out;
}

std::size_t footprint(const Reading& reading) {
  std::size_t out = sizeof(Reading) + reading.statements.size() * sizeof(Statement);
  for (const Statement& s : reading.statements) {
    for (const Source& source : s.query.sources) {
      out += sizeof(Source) + footprint(source.relation.name) + footprint(source.alias) + footprint(source.columns) +
             source.filters.size() * sizeof(int) + footprint(source.group_by);
    }
    for (const Predicate& p : s.query.predicates) {
      out += sizeof(Predicate) + footprint(p.column) + footprint(p.other) + footprint(p.values) + p.args.size() * sizeof(int);
      if (p.low) out += footprint(p.low->text);
      if (p.high) out += footprint(p.high->text);
    }
    out += footprint(s.query.outputs) + footprint(s.staged) + footprint(s.arguments) + footprint(s.target_columns) + footprint(s.setting);
    for (const Write& w : s.writes) {
      out += sizeof(Write) + footprint(w.columns);
      for (const auto& row : w.rows) out += footprint(row);
      for (const auto& [column, value] : w.set) out += footprint(column) + footprint(value);
    }
  }
  return out;
}

}  // namespace tocsin::engine::sql
