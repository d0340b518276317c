// Names to indexes, and the checks that need to see all rules at once.
#include "rules/sigma/correlation_link.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "rules/base/bytes.hpp"
#include "rules/base/text.hpp"

namespace tocsin::rules::sigma {
namespace {

constexpr std::size_t kShown = 80;  // bytes of a name in a message

struct Target {
  bool correlation = false;  // index counts in the pending ones, else in the rules
  std::uint32_t index = 0;
  friend bool operator==(const Target&, const Target&) = default;
};

bool temporal(CorrelationType type) noexcept {
  return type == CorrelationType::kTemporal || type == CorrelationType::kTemporalOrdered;
}

void names_of(const Condition& condition, std::vector<std::string>& out) {
  if (condition.kind == Condition::Kind::kName && std::find(out.begin(), out.end(), condition.name) == out.end()) out.push_back(condition.name);
  for (const Condition& part : condition.parts) names_of(part, out);
}

bool any_of_kind(const Condition& condition, Condition::Kind kind) {
  return condition.kind == kind || std::any_of(condition.parts.begin(), condition.parts.end(), [&](const Condition& part) { return any_of_kind(part, kind); });
}

std::string number_text(double value) {
  std::array<char, 32> buffer{};
  return {buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr};
}

std::string quoted(std::string_view name) { return "'" + printable(name, kShown) + "'"; }

class Linker {
 public:
  Linker(const std::vector<PendingCorrelation>& pending, const Program& program, std::vector<Report>& reports)
      : pending_(pending), program_(program), reports_(reports), made_(pending.size()), targets_(pending.size()), refused_(pending.size(), false) {}

  LinkedCorrelations run() {
    name_all();
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      auto remark = define(i);
      if (!remark) remark = resolve(i);
      if (!remark) remark = compile_expression(i);
      if (remark) refuse(i, std::move(*remark));
    }
    refuse_dependants();
    const std::vector<std::size_t> order = refuse_cycles();
    return finish(order);
  }

 private:
  void name(const Description& description, Target target) {
    if (!description.id.empty()) names_[description.id].push_back(target);
    if (!description.name.empty() && description.name != description.id) names_[description.name].push_back(target);
  }

  void name_all() {
    for (std::uint32_t i = 0; i < program_.rules().size(); ++i) name(*program_.rules()[i].rule, Target{false, i});
    for (std::uint32_t i = 0; i < pending_.size(); ++i) name(*pending_[i].rule, Target{true, i});
    for (const Report& report : reports_) {
      if (report.status == Status::kRejected && !report.rule.empty()) rejected_.insert(report.rule);
    }
  }

  void refuse(std::size_t index, Remark remark) {
    refused_[index] = true;
    if (remark.line == 0) remark.line = pending_[index].rule->line;
    Report& report = reports_[pending_[index].report];
    report.status = Status::kRejected;
    report.line = remark.line;
    report.remarks.clear();
    report.remarks.push_back(std::move(remark));
  }

  void warn(std::size_t index, Remark remark) {
    if (remark.line == 0) remark.line = pending_[index].rule->line;
    Report& report = reports_[pending_[index].report];
    if (report.status == Status::kOk) report.status = Status::kWarning;
    if (report.remarks.empty()) report.line = remark.line;
    report.remarks.push_back(std::move(remark));
  }

  // What the definition says in itself. Parsing has refused most of this already, but not every maker parses.
  std::optional<Remark> define(std::size_t index) {
    CompiledCorrelation& made = made_[index];
    auto rule = pending_[index].rule;
    if (rule->rules.empty() && rule->expression) {
      auto completed = std::make_shared<Correlation>(*rule);
      names_of(*rule->expression, completed->rules);
      rule = std::move(completed);
    }
    made.rule = rule;
    made.bounds = rule->bounds;
    const auto bad = [](std::string message, std::string remedy) { return Remark{"bad-correlation", std::move(message), std::move(remedy), 0}; };
    if (rule->rules.empty()) return bad("the correlation names no rules", "list ids or names under `rules`");
    if (rule->rules.size() > kMaxCorrelationRules) {
      return bad("the correlation names more than " + std::to_string(kMaxCorrelationRules) + " rules", "chain several correlations");
    }
    if (rule->timespan <= Duration::zero() || rule->timespan > kMaxTimespan) {
      return bad("the timespan must be more than nothing and at most ten years", "write a number with s, m, h or d, such as 15m");
    }
    if (rule->group_by.size() > kMaxGroupFields) {
      return bad("the correlation groups by more than " + std::to_string(kMaxGroupFields) + " fields", "group by fewer fields");
    }
    for (const Bound& bound : made.bounds) {
      if (!std::isfinite(bound.value)) return bad("a threshold is not a finite number", "write a decimal number");
    }
    const bool count = rule->type == CorrelationType::kEventCount;
    if (temporal(rule->type)) {
      if (rule->rules.size() > kMaxTemporalRules) {
        return bad("a temporal correlation may name at most " + std::to_string(kMaxTemporalRules) + " rules", "chain several correlations");
      }
      if (rule->expression && rule->type == CorrelationType::kTemporalOrdered) {
        return bad("a boolean condition says nothing about order", "use type temporal, or list the rules in order without a condition");
      }
      if (rule->expression && !made.bounds.empty()) return bad("a boolean condition and a count contradict each other", "keep one of them");
      const auto all = static_cast<double>(rule->rules.size());
      if (!rule->expression && made.bounds.empty()) made.bounds = {Bound{Bound::Operator::kGreaterOrEqual, all}};
      // There are no more than all, so "exactly all" is "all", and that is known as soon as it is so.
      for (Bound& bound : made.bounds) {
        if (bound.op == Bound::Operator::kEqual && bound.value == all) bound.op = Bound::Operator::kGreaterOrEqual;
      }
    } else if (made.bounds.empty() || rule->expression) {
      return bad("the correlation has no count to compare with", "give a condition such as {gte: 10}");
    }
    if (!temporal(rule->type) && !count && rule->fields.empty()) return bad("the type needs a field", "name it as `field` in the condition");
    if (!temporal(rule->type) && !count && rule->type != CorrelationType::kValueCount && rule->fields.size() != 1) {
      return bad("only value_count takes several fields", "name one field");
    }
    if (rule->type == CorrelationType::kValuePercentile && !(rule->percentile >= 0 && rule->percentile <= 100)) {
      return bad("a percentile lies between 0 and 100", "give `percentile` as a number from 0 to 100");
    }
    const bool growing = std::all_of(made.bounds.begin(), made.bounds.end(), [](const Bound& bound) {
      return bound.op == Bound::Operator::kGreater || bound.op == Bound::Operator::kGreaterOrEqual;
    });
    made.whole_windows = !growing || (rule->expression && any_of_kind(*rule->expression, Condition::Kind::kNot));
    if (made.whole_windows && rule->type == CorrelationType::kTemporalOrdered) {
      return bad("in an order of rules only gt and gte have a meaning", "use gte, or leave the condition out: then all rules must be seen in order");
    }
    return std::nullopt;
  }

  std::optional<Target> find(std::string_view name, std::optional<Remark>& remark) const {
    const auto at = names_.find(std::string(name));
    if (at == names_.end()) {
      if (rejected_.contains(std::string(name))) {
        remark = Remark{"rejected-rule-reference", "the correlation refers to " + quoted(name) + ", which was rejected", "mend that rule first; its own report says how", 0};
      } else {
        remark = Remark{"unknown-rule-reference", "the correlation refers to " + quoted(name) + ", and no rule that was loaded has that id or name",
                        "load the rule together with the correlation, or correct the reference", 0};
      }
      return std::nullopt;
    }
    if (at->second.size() > 1) {
      remark = Remark{"ambiguous-rule-reference", "the correlation refers to " + quoted(name) + ", and " + std::to_string(at->second.size()) + " rules have that id or name",
                      "refer to the rule by an id that no other rule has", 0};
      return std::nullopt;
    }
    return at->second.front();
  }

  std::optional<Remark> resolve(std::size_t index) {
    const Correlation& rule = *made_[index].rule;
    std::optional<Remark> remark;
    std::vector<Target>& targets = targets_[index];
    for (const std::string& reference : rule.rules) {
      const auto target = find(reference, remark);
      if (!target) return remark;
      if (std::find(targets.begin(), targets.end(), *target) != targets.end()) {
        // In an order, the same rule twice means two events one after the other.
        if (rule.type == CorrelationType::kTemporal) {
          return Remark{"duplicate-reference", "the correlation names the rule " + quoted(reference) + " twice, so it could never see as many different rules",
                        "name each rule once", 0};
        }
        if (rule.type != CorrelationType::kTemporalOrdered) {
          warn(index, Remark{"duplicate-reference", "the correlation names the rule " + quoted(reference) + " twice; its events count once", "name each rule once", 0});
        }
      }
      targets.push_back(*target);
    }
    return check_aliases(index);
  }

  std::optional<Remark> check_aliases(std::size_t index) {
    const Correlation& rule = *made_[index].rule;
    std::set<std::string> seen;
    for (const Alias& alias : rule.aliases) {
      if (!seen.insert(alias.name).second) return Remark{"bad-aliases", "the alias " + quoted(alias.name) + " is given twice", "give it once, with a field for each rule", 0};
      for (const Alias::Field& field : alias.fields) {
        std::optional<Remark> unused;
        const auto target = find(field.rule, unused);
        const bool listed = std::find(rule.rules.begin(), rule.rules.end(), field.rule) != rule.rules.end() ||
                            (target && std::find(targets_[index].begin(), targets_[index].end(), *target) != targets_[index].end());
        if (!listed) {
          return Remark{"bad-aliases", "the alias " + quoted(alias.name) + " speaks of " + quoted(field.rule) + ", which is not among the correlation's rules",
                        "use the reference as it stands under `rules`", 0};
        }
      }
    }
    return std::nullopt;
  }

  std::optional<Remark> compile_expression(std::size_t index) {
    const Correlation& rule = *made_[index].rule;
    if (!rule.expression) return std::nullopt;
    std::set<std::uint32_t> used;
    if (auto remark = steps(*rule.expression, index, used)) return remark;
    for (std::uint32_t i = 0; i < rule.rules.size(); ++i) {
      if (used.contains(i)) continue;
      return Remark{"bad-correlation-condition", "the condition does not speak of " + quoted(rule.rules[i]) + ", which is listed under `rules`",
                    "name the same rules in both, or leave `rules` out", 0};
    }
    return std::nullopt;
  }

  std::optional<Remark> steps(const Condition& condition, std::size_t index, std::set<std::uint32_t>& used) {
    using Op = CompiledCorrelation::Step::Op;
    CompiledCorrelation& made = made_[index];
    switch (condition.kind) {
      case Condition::Kind::kSelector:
        return Remark{"bad-correlation-condition", "'of' has no meaning in the condition of a correlation", "join names of rules by and, or, not", 0};
      case Condition::Kind::kName: {
        const auto at = input_named(condition.name, index);
        if (!at) {
          return Remark{"bad-correlation-condition", "the condition speaks of " + quoted(condition.name) + ", which is not among the correlation's rules",
                        "name the same rules in both, or leave `rules` out", 0};
        }
        used.insert(*at);
        made.expression.push_back({Op::kSeen, *at});
        return std::nullopt;
      }
      case Condition::Kind::kAnd:
      case Condition::Kind::kOr:
      case Condition::Kind::kNot: break;
    }
    for (const Condition& part : condition.parts) {
      if (auto remark = steps(part, index, used)) return remark;
    }
    const Op op = condition.kind == Condition::Kind::kAnd ? Op::kAnd : condition.kind == Condition::Kind::kOr ? Op::kOr : Op::kNot;
    made.expression.push_back({op, static_cast<std::uint32_t>(condition.parts.size())});
    return std::nullopt;
  }

  // The input that a name of the condition means: the reference as written, else whatever rule has that name.
  std::optional<std::uint32_t> input_named(const std::string& name, std::size_t index) const {
    const std::vector<std::string>& rules = made_[index].rule->rules;
    const auto written = std::find(rules.begin(), rules.end(), name);
    if (written != rules.end()) return static_cast<std::uint32_t>(written - rules.begin());
    std::optional<Remark> unused;
    const auto target = find(name, unused);
    if (!target) return std::nullopt;
    const auto at = std::find(targets_[index].begin(), targets_[index].end(), *target);
    if (at == targets_[index].end()) return std::nullopt;
    return static_cast<std::uint32_t>(at - targets_[index].begin());
  }

  // Whoever refers to what is refused is refused too, through any number of steps.
  void refuse_dependants() {
    std::vector<std::vector<std::size_t>> users(pending_.size());
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      if (refused_[i]) open.push_back(i);
      for (const Target& target : targets_[i]) {
        if (target.correlation) users[target.index].push_back(i);
      }
    }
    while (!open.empty()) {
      const std::size_t refused = open.back();
      open.pop_back();
      for (const std::size_t user : users[refused]) {
        if (refused_[user]) continue;
        refuse(user, rejected_reference(*pending_[refused].rule));
        open.push_back(user);
      }
    }
  }

  static Remark rejected_reference(const Description& description) {
    return Remark{"rejected-rule-reference", "the correlation refers to " + quoted(description.key()) + ", which was rejected",
                  "mend that one first; its own report says how", 0};
  }

  // The accepted ones, each after all that it refers to. What stays over when nothing more can be put in order goes
  // round in a circle, or leans on a circle.
  std::vector<std::size_t> refuse_cycles() {
    std::vector<std::size_t> waits(pending_.size(), 0);
    std::vector<std::vector<std::size_t>> users(pending_.size());
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      if (refused_[i]) continue;
      for (const Target& target : targets_[i]) {
        if (!target.correlation) continue;
        ++waits[i];
        users[target.index].push_back(i);
      }
      if (waits[i] == 0) order.push_back(i);
    }
    for (std::size_t at = 0; at < order.size(); ++at) {
      for (const std::size_t user : users[order[at]]) {
        if (--waits[user] == 0) order.push_back(user);
      }
    }
    std::vector<std::size_t> left;
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      if (!refused_[i] && waits[i] > 0) left.push_back(i);
    }
    for (const std::size_t i : left) {
      if (reaches_itself(i)) {
        refuse(i, Remark{"correlation-cycle", "the correlation refers to itself through others, so it could never begin", "break the circle of references", 0});
      } else {
        const auto target = std::find_if(targets_[i].begin(), targets_[i].end(), [&](const Target& t) { return t.correlation && waits[t.index] > 0; });
        refuse(i, rejected_reference(*pending_[target->index].rule));
      }
    }
    return order;
  }

  bool reaches_itself(std::size_t index) const {
    std::vector<std::size_t> open = {index};
    std::vector<bool> seen(pending_.size(), false);
    while (!open.empty()) {
      const std::size_t at = open.back();
      open.pop_back();
      for (const Target& target : targets_[at]) {
        if (!target.correlation) continue;
        if (target.index == index) return true;
        if (seen[target.index]) continue;
        seen[target.index] = true;
        open.push_back(target.index);
      }
    }
    return false;
  }

  LinkedCorrelations finish(const std::vector<std::size_t>& order) {
    LinkedCorrelations linked;
    std::vector<std::uint32_t> index_of(pending_.size(), 0);
    std::uint32_t count = 0;
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      if (!refused_[i]) index_of[i] = count++;
    }
    for (const std::size_t i : order) {
      for (const Target& target : targets_[i]) {
        made_[i].inputs.push_back({target.correlation, target.correlation ? index_of[target.index] : target.index});
      }
      made_[i].fingerprint = fingerprint(i);
    }
    std::vector<bool> fed(program_.rules().size(), false);
    std::vector<bool> speaks(program_.rules().size(), false);
    std::vector<bool> lower_fed(pending_.size(), false);
    std::vector<bool> lower_speaks(pending_.size(), false);
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      if (refused_[i]) continue;
      for (const Target& target : targets_[i]) {
        (target.correlation ? lower_fed : fed)[target.index] = true;
        if (made_[i].rule->generate) (target.correlation ? lower_speaks : speaks)[target.index] = true;
      }
    }
    for (std::size_t i = 0; i < fed.size(); ++i) linked.silent.push_back(fed[i] && !speaks[i]);
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      if (refused_[i]) continue;
      made_[i].silent = lower_fed[i] && !lower_speaks[i];
      linked.correlations.push_back(std::move(made_[i]));
    }
    return linked;
  }

  // Everything that decides what the windows hold and when they speak; nothing that is only for people.
  std::string fingerprint(std::size_t index) const {
    const CompiledCorrelation& made = made_[index];
    const Correlation& rule = *made.rule;
    std::string text;
    const auto add = [&text](std::string_view part) { text += std::to_string(part.size()) + ":" + std::string(part); };
    add(rule.key());
    add(std::to_string(static_cast<int>(rule.type)));
    add(std::to_string(rule.timespan.count()));
    for (const std::string& field : rule.group_by) add(field);
    add("fields");
    for (const std::string& field : rule.fields) add(field);
    add("bounds");
    for (const Bound& bound : made.bounds) add(std::to_string(static_cast<int>(bound.op)) + number_text(bound.value));
    add(rule.type == CorrelationType::kValuePercentile ? number_text(rule.percentile) : "");
    for (const auto& step : made.expression) add(std::to_string(static_cast<int>(step.op)) + " " + std::to_string(step.count));
    for (const Alias& alias : rule.aliases) {
      add("alias");
      add(alias.name);
      for (const Alias::Field& field : alias.fields) {
        add(field.rule);
        add(field.field);
      }
    }
    for (std::size_t i = 0; i < targets_[index].size(); ++i) {
      const Target& target = targets_[index][i];
      add("input");
      add(rule.rules[i]);
      if (target.correlation) {
        add(made_[target.index].fingerprint);
        continue;
      }
      const CompiledRule& compiled = program_.rules()[target.index];
      add(compiled.rule->product);
      add(compiled.rule->category);
      add(compiled.rule->service);
      add(program_.canonical(compiled));
    }
    return to_hex(sha256(text)).substr(0, 32);
  }

  const std::vector<PendingCorrelation>& pending_;
  const Program& program_;
  std::vector<Report>& reports_;
  std::vector<CompiledCorrelation> made_;
  std::vector<std::vector<Target>> targets_;
  std::vector<bool> refused_;
  std::unordered_map<std::string, std::vector<Target>> names_;
  std::set<std::string> rejected_;
};

}  // namespace

bool holds(std::span<const CompiledCorrelation::Step> expression, std::uint64_t seen) {
  using Op = CompiledCorrelation::Step::Op;
  std::vector<bool> stack;
  for (const CompiledCorrelation::Step& step : expression) {
    if (step.op == Op::kSeen) {
      stack.push_back((seen >> step.count & 1U) != 0);
    } else if (step.op == Op::kNot) {
      stack.back() = !stack.back();
    } else {
      const bool conjunction = step.op == Op::kAnd;
      bool result = conjunction;
      for (std::uint32_t i = 0; i < step.count; ++i) {
        result = conjunction ? (result && stack.back()) : (result || stack.back());
        stack.pop_back();
      }
      stack.push_back(result);
    }
  }
  return !stack.empty() && stack.back();
}

bool holds(std::span<const Bound> bounds, double value) noexcept {
  for (const Bound& bound : bounds) {
    bool held = false;
    switch (bound.op) {
      case Bound::Operator::kLess: held = value < bound.value; break;
      case Bound::Operator::kLessOrEqual: held = value <= bound.value; break;
      case Bound::Operator::kGreater: held = value > bound.value; break;
      case Bound::Operator::kGreaterOrEqual: held = value >= bound.value; break;
      case Bound::Operator::kEqual: held = value == bound.value; break;
      case Bound::Operator::kNotEqual: held = value != bound.value; break;
    }
    if (!held) return false;
  }
  return true;
}

LinkedCorrelations link_correlations(const std::vector<PendingCorrelation>& pending, const Program& program, std::vector<Report>& reports) {
  return Linker(pending, program, reports).run();
}

}  // namespace tocsin::rules::sigma
