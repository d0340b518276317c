// Routing, matching and explaining, over routes that are made when first used; there are at most kMaxRoutes of them,
// and their memory is bounded by kMaxRoutedFacts.
#include "rules/sigma/engine.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <utility>

#include "rules/base/text.hpp"
#include "rules/sigma/correlation_link.hpp"
#include "rules/sigma/evaluate.hpp"
#include "rules/sigma/lint.hpp"
#include "rules/sigma/load.hpp"
#include "rules/sigma/route.hpp"
#include "rules/sigma/witness.hpp"

namespace tocsin::rules::sigma {
namespace {

constexpr std::size_t kMaxRoutes = 256;
constexpr std::size_t kMaxRoutedFacts = 2'000'000;  // in all routes; some 100 bytes each
// Normalised events are a language of their own: a rule for them and a raw record never meet by having little to say.
constexpr std::string_view kClosedCategory = "data_access";

// Audit logs of services, whose records are of no other kind. A record of one of them is never a line of a web server
// or a proxy, though neither its tag nor a rule that names just such a category says so.
struct AuditLog {
  std::string_view product;
  std::string_view service;
};
constexpr std::array kAuditLogs = {
    AuditLog{"aws", "cloudtrail"},     AuditLog{"gcp", "gcp.audit"},     AuditLog{"gcp", "google_workspace.admin"}, AuditLog{"gcp", "google_workspace.login"},
    AuditLog{"azure", "activitylogs"}, AuditLog{"azure", "auditlogs"},   AuditLog{"azure", "signinlogs"},           AuditLog{"azure", "riskdetection"},
    AuditLog{"azure", "pim"},          AuditLog{"m365", "audit"},        AuditLog{"m365", "threat_management"},     AuditLog{"m365", "threat_detection"},
    AuditLog{"m365", "exchange"},      AuditLog{"okta", "okta"},         AuditLog{"github", "audit"},               AuditLog{"bitbucket", "audit"},
    AuditLog{"kubernetes", "audit"},   AuditLog{"onelogin", "onelogin.events"},
};
constexpr std::array<std::string_view, 6> kOtherKinds = {"webserver", "proxy", "dns", "firewall", "antivirus", "database"};

bool audit_log(const LogSource& source) noexcept {
  return source.category.empty() && std::any_of(kAuditLogs.begin(), kAuditLogs.end(), [&](const AuditLog& log) {
           return iequals(log.service, source.service) && iequals(log.product, source.product);
         });
}
// The rule is for every log of one of those other kinds, whatever writes it.
bool other_kind(const Rule& rule) noexcept {
  return rule.product.empty() && rule.service.empty() && std::any_of(kOtherKinds.begin(), kOtherKinds.end(), [&](std::string_view kind) { return iequals(kind, rule.category); });
}

// Categories that others divide. A rule of the wide one is for events of each narrow one.
struct Narrower {
  std::string_view wide;
  std::string_view narrow;
};
constexpr std::array kNarrower = {
    Narrower{"registry_event", "registry_add"}, Narrower{"registry_event", "registry_delete"},    Narrower{"registry_event", "registry_set"},
    Narrower{"registry_event", "registry_rename"}, Narrower{"file_delete", "file_delete_detected"},
};

bool contradicts(std::string_view rule, std::string_view event) noexcept {
  return !rule.empty() && !event.empty() && !iequals(rule, event);
}

// A route, and whether it also holds rules of other log sources, so that each match must be checked.
struct Choice {
  const Route* route = nullptr;
  bool check = false;
};

}  // namespace

struct Engine::Inner {
  Program program;
  std::unique_ptr<const Witnesses> facts;    // of the program
  std::vector<Witness> witnesses;            // per rule; they point into `facts`
  std::unique_ptr<const Together> together;
  std::unique_ptr<const Order> order;
  std::vector<CompiledCorrelation> correlations;
  std::vector<bool> silent;                  // per rule: it only feeds correlations
  std::uint64_t id = 0;

  // Which of the distinct product, category and service a name is: 0 none, 1 one that no rule has, else 2 + position.
  std::array<std::vector<std::string>, 3> names;

  mutable std::shared_mutex mutex;
  mutable std::map<std::uint64_t, std::unique_ptr<const Route>> routes;  // guarded by mutex; values never change
  mutable std::size_t routed_facts = 0;                                  // in all of them; guarded by mutex
  // Made when first asked for: most engines never are.
  mutable std::once_flag everything_once;
  mutable std::unique_ptr<const Route> everything;
  mutable std::once_flag overflow_once;
  mutable std::unique_ptr<const Route> overflow;

  [[nodiscard]] const Route& every_rule() const;
  [[nodiscard]] const Route& overflow_route() const;
  void derive_witnesses();
  [[nodiscard]] std::unique_ptr<const Route> make_route(const LogSource* source) const;
  [[nodiscard]] Choice route(const LogSource& source) const;
  [[nodiscard]] std::uint64_t route_key(const LogSource& source) const noexcept;
};

namespace {

// A log source that a thread has seen and its route, so that the usual case takes no lock.
struct Memo {
  std::uint64_t engine = 0;
  std::string product, category, service;
  Choice choice;
};

// One per engine that the thread uses, the last few: during a reload two are in use side by side.
Scratch& thread_scratch(std::uint64_t engine) {
  thread_local std::array<std::pair<std::uint64_t, Scratch>, 4> scratches;
  thread_local std::size_t next = 0;
  for (auto& [id, scratch] : scratches) {
    if (id == engine) return scratch;
  }
  next = (next + 1) % scratches.size();
  scratches[next].first = engine;
  return scratches[next].second;
}

}  // namespace

void Engine::Inner::derive_witnesses() {
  auto found = std::make_unique<Witnesses>(program);
  witnesses.reserve(program.rules().size());
  for (const CompiledRule& rule : program.rules()) witnesses.push_back(found->find(rule.root));
  facts = std::move(found);
  together = std::make_unique<const Together>(program);
  order = std::make_unique<const Order>(program, *together);
}

std::unique_ptr<const Route> Engine::Inner::make_route(const LogSource* source) const {
  std::vector<std::uint32_t> chosen;
  for (std::uint32_t index = 0; index < program.rules().size(); ++index) {
    if (source == nullptr || routed(*program.rules()[index].rule, *source)) chosen.push_back(index);
  }
  return std::make_unique<const Route>(program, chosen, witnesses);
}

const Route& Engine::Inner::every_rule() const {
  std::call_once(everything_once, [&] { everything = make_route(nullptr); });
  return *everything;
}

const Route& Engine::Inner::overflow_route() const {
  std::call_once(overflow_once, [&] { overflow = make_route(nullptr); });
  return *overflow;
}

std::uint64_t Engine::Inner::route_key(const LogSource& source) const noexcept {
  std::uint64_t key = audit_log(source) ? 1 : 0;
  const std::array<std::string_view, 3> dimensions = {source.product, source.category, source.service};
  for (std::size_t i = 0; i < 3; ++i) {
    std::uint64_t number = dimensions[i].empty() ? 0 : 1;
    for (std::size_t n = 0; number == 1 && n < names[i].size(); ++n) {
      if (iequals(names[i][n], dimensions[i])) number = 2 + n;
    }
    key = key << 20 | number;
  }
  return key;
}

Choice Engine::Inner::route(const LogSource& source) const {
  thread_local std::array<Memo, 64> memos;
  const std::uint64_t hash = hash_of(source.product) ^ hash_of(source.category) * 3 ^ hash_of(source.service) * 5 ^ id;
  Memo& memo = memos[hash % memos.size()];
  if (memo.engine == id && memo.product == source.product && memo.category == source.category && memo.service == source.service) {
    return memo.choice;
  }
  const std::uint64_t key = route_key(source);
  const Route* found = nullptr;
  bool full = false;
  {
    const std::shared_lock lock(mutex);
    const auto at = routes.find(key);
    if (at != routes.end()) found = at->second.get();
    full = routes.size() >= kMaxRoutes || routed_facts >= kMaxRoutedFacts;
  }
  const bool overflowed = found == nullptr && full;
  if (overflowed) found = &overflow_route();
  if (found == nullptr) {
    std::unique_ptr<const Route> made = make_route(&source);
    const std::unique_lock lock(mutex);
    const auto [at, is_new] = routes.try_emplace(key, std::move(made));
    if (is_new) routed_facts += at->second->size();
    found = at->second.get();
  }
  memo = Memo{id, std::string(source.product), std::string(source.category), std::string(source.service), {found, overflowed}};
  return {found, overflowed};
}

Engine::Engine(std::unique_ptr<Inner> inner) : inner_(std::move(inner)) {}
Engine::~Engine() = default;

void Engine::match(const Event& event, std::vector<Match>& out, Routing routing) const {
  const Inner& inner = *inner_;
  const bool every = routing == Routing::kEverything;
  const auto [chosen, check] = every ? Choice{&inner.every_rule(), false} : inner.route(event.source);
  const Route& route = *chosen;
  Scratch& scratch = thread_scratch(inner.id);
  scratch.begin(inner.program, inner.id);
  route.resolve(event, scratch);
  Evaluation evaluation(inner.program, event, scratch, true, inner.together.get(), inner.order.get());
  route.collect(evaluation, scratch);
  std::sort(scratch.candidates.begin(), scratch.candidates.end());
  const CompiledRule* const rules = inner.program.rules().data();
  for (const std::uint32_t index : scratch.candidates) {
    const CompiledRule& rule = rules[index];
    if (check && !routed(*rule.rule, event.source)) continue;
    if (evaluation.holds(rule.root)) out.push_back(Match{rule.rule.get(), index, inner.silent[index]});
  }
}

bool Engine::routed(const Rule& rule, const LogSource& source) noexcept {
  const bool rule_closed = rule.category == kClosedCategory;
  const bool event_closed = iequals(source.category, kClosedCategory);
  const bool unknown = source.product.empty() && source.category.empty() && source.service.empty();
  if (rule_closed != event_closed && !unknown) return false;
  if (other_kind(rule) && audit_log(source)) return false;
  const bool within = std::any_of(kNarrower.begin(), kNarrower.end(), [&](const Narrower& pair) { return rule.category == pair.wide && iequals(source.category, pair.narrow); });
  return !contradicts(rule.product, source.product) && (within || !contradicts(rule.category, source.category)) &&
         !contradicts(rule.service, source.service);
}

const std::vector<CompiledRule>& Engine::rules() const noexcept { return inner_->program.rules(); }
const std::vector<CompiledCorrelation>& Engine::correlations() const noexcept { return inner_->correlations; }
const Program& Engine::program() const noexcept { return inner_->program; }

// --- explanation ---

namespace {

class Explainer {
 public:
  Explainer(const Program& program, Evaluation& evaluation, const Rule& rule, std::vector<Reason>& out)
      : program_(program), evaluation_(evaluation), rule_(rule), out_(out) {}

  // Says why `node` has the truth `wanted`.
  void explain(std::uint32_t index, bool wanted, const std::string& selection) {
    const Node& node = program_.nodes()[index];
    std::string name = selection;
    if (node.selection >= 0) {
      const Selection& written = rule_.selections[static_cast<std::size_t>(node.selection)];
      name = (wanted ? "" : "not ") + (written.origin == 0 ? "" : rule_.filters[written.origin - 1] + ": ") + written.name;
    }
    switch (node.kind) {
      case Node::Kind::kTest: add(program_.predicates()[node.value], wanted, name); return;
      case Node::Kind::kNot: explain(node.first, !wanted, name); return;
      case Node::Kind::kEach: add_block(index, program_.every()[node.value].field, wanted, name); return;
      default: break;
    }
    // Only the parts that have the wanted truth are reasons for it.
    for (std::uint32_t i = 0; i < node.count; ++i) {
      if (evaluation_.holds(node.first + i) == wanted) explain(node.first + i, wanted, name);
    }
  }

 private:
  // A block is a reason as a whole, with the text of its array: which element decides is for the reader.
  void add_block(std::uint32_t index, FieldId field, bool wanted, const std::string& selection) {
    Reason reason;
    reason.selection = selection;
    reason.field = program_.fields()[field].name;
    reason.test = (wanted ? "" : "not ") + program_.canonical(index);
    const Evaluation::Range range = evaluation_.leaves(field);
    if (range.begin != range.end) reason.value = shortened(evaluation_.text(evaluation_.leaf(range.begin)));
    add(std::move(reason));
  }
  void add(Reason reason) {
    for (const Reason& known : out_) {
      if (known.selection == reason.selection && known.test == reason.test) return;
    }
    out_.push_back(std::move(reason));
  }
  static std::string shortened(std::string_view text) {
    if (text.size() <= Reason::kMaxValue) return std::string(text);
    std::size_t cut = Reason::kMaxValue;
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
    return std::string(text.substr(0, cut));
  }
  void add(const Predicate& predicate, bool wanted, const std::string& selection) {
    Reason reason;
    reason.selection = selection;
    if (predicate.field != kKeywords) reason.field = program_.fields()[predicate.field].name;
    reason.test = (wanted ? "" : "not ") + predicate.canonical;
    const Evaluation::Range range = evaluation_.leaves(predicate.field);
    for (std::uint32_t i = range.begin; i < range.end; ++i) {
      Leaf& leaf = evaluation_.leaf(i);
      const bool shown = predicate.test >= Test::kNull || !wanted || evaluation_.leaf_holds(predicate, leaf);
      if (!shown || leaf.value.kind() == Kind::kNull || (!wanted && predicate.field == kKeywords)) continue;
      reason.value = shortened(evaluation_.text(leaf));
      break;
    }
    add(std::move(reason));
  }

  const Program& program_;
  Evaluation& evaluation_;
  const Rule& rule_;
  std::vector<Reason>& out_;
};

}  // namespace

std::vector<Reason> Engine::explain(const Event& event, const Rule& rule) const {
  std::vector<Reason> reasons;
  const auto& all = inner_->program.rules();
  const auto compiled = std::find_if(all.begin(), all.end(), [&](const CompiledRule& c) { return c.rule.get() == &rule; });
  if (compiled == all.end()) return reasons;
  Scratch scratch;
  scratch.begin(inner_->program, inner_->id);
  Evaluation evaluation(inner_->program, event, scratch, false);
  if (!evaluation.holds(compiled->root)) return reasons;
  Explainer(inner_->program, evaluation, rule, reasons).explain(compiled->root, true, {});
  // What was found reads better before what was not.
  std::stable_partition(reasons.begin(), reasons.end(), [](const Reason& reason) { return !reason.test.starts_with("not "); });
  return reasons;
}

// --- loading ---

class EngineBuilder {
 public:
  explicit EngineBuilder(const LoadOptions& options) : options_(options), inner_(std::make_unique<Engine::Inner>()) {}

  void add(std::shared_ptr<const Rule> rule, Report report) {
    if (!rule->id.empty() && !ids_.insert(rule->id).second) {
      report.remarks.push_back({"duplicate-id", "another rule with the id " + printable(rule->id, 60) + " was loaded before this one",
                                "give every rule an id of its own", rule->line});
    }
    std::vector<Remark> warnings;
    std::optional<Remark> refusal = inner_->program.add(std::move(rule), options_.placeholders, warnings);
    for (Remark& warning : warnings) report.remarks.push_back(std::move(warning));
    if (!refusal) {
      for (Remark& warning : lint(inner_->program, inner_->program.rules().back())) report.remarks.push_back(std::move(warning));
    }
    if (refusal) {
      report.remarks.clear();
      report.remarks.push_back(std::move(*refusal));
      report.status = Status::kRejected;
    } else if (!report.remarks.empty()) {
      report.status = Status::kWarning;
    }
    if (!report.remarks.empty()) report.line = report.remarks.front().line;
    loaded_.reports.push_back(std::move(report));
  }
  void add(std::shared_ptr<const Correlation> correlation, Report report) {
    if (!correlation->id.empty() && !ids_.insert(correlation->id).second) {
      report.remarks.push_back({"duplicate-id", "another rule with the id " + printable(correlation->id, 60) + " was loaded before this one",
                                "give every rule an id of its own", correlation->line});
      report.line = report.remarks.front().line;
      report.status = Status::kWarning;
    }
    correlations_.push_back({std::move(correlation), loaded_.reports.size()});
    loaded_.reports.push_back(std::move(report));
  }
  void refused(Report report) { loaded_.reports.push_back(std::move(report)); }

  Loaded finish() {
    static std::atomic<std::uint64_t> next_id{0};
    Engine::Inner& inner = *inner_;
    inner.id = ++next_id;
    inner.derive_witnesses();
    LinkedCorrelations linked = link_correlations(correlations_, inner.program, loaded_.reports);
    inner.correlations = std::move(linked.correlations);
    inner.silent = std::move(linked.silent);
    for (const CompiledRule& compiled : inner.program.rules()) {
      const std::array<const std::string*, 3> dimensions = {&compiled.rule->product, &compiled.rule->category, &compiled.rule->service};
      for (std::size_t i = 0; i < 3; ++i) {
        auto& names = inner.names[i];
        if (!dimensions[i]->empty() && std::find(names.begin(), names.end(), *dimensions[i]) == names.end()) names.push_back(*dimensions[i]);
      }
    }
    // An event of one of these categories is not like one of any other, even if no rule names it.
    const auto distinct = [&](std::string_view category) {
      auto& names = inner.names[1];
      if (std::find(names.begin(), names.end(), category) == names.end()) names.emplace_back(category);
    };
    distinct(kClosedCategory);
    for (const Narrower& pair : kNarrower) distinct(pair.narrow);
    loaded_.engine = std::shared_ptr<const Engine>(new Engine(std::move(inner_)));
    return std::move(loaded_);
  }

 private:
  const LoadOptions& options_;
  std::unique_ptr<Engine::Inner> inner_;
  std::set<std::string> ids_;
  std::vector<PendingCorrelation> correlations_;
  Loaded loaded_;
};

std::size_t Loaded::count(Status status) const noexcept {
  return static_cast<std::size_t>(std::count_if(reports.begin(), reports.end(), [&](const Report& r) { return r.status == status; }));
}

Loaded build(std::vector<ParsedDocument> documents, const LoadOptions& options) {
  EngineBuilder builder(options);
  for (ParsedDocument& document : documents) {
    if (document.rule) builder.add(std::make_shared<const Rule>(std::move(*document.rule)), std::move(document.report));
    else if (document.correlation) builder.add(std::make_shared<const Correlation>(std::move(*document.correlation)), std::move(document.report));
    else builder.refused(std::move(document.report));
  }
  return builder.finish();
}

Loaded load_rules(std::span<const std::shared_ptr<const Rule>> rules, const LoadOptions& options) {
  EngineBuilder builder(options);
  for (const std::shared_ptr<const Rule>& rule : rules) {
    Report report;
    report.file = rule->file;
    report.line = rule->line;
    report.rule = rule->id.empty() ? rule->name : rule->id;
    report.title = rule->title;
    builder.add(rule, std::move(report));
  }
  return builder.finish();
}

}  // namespace tocsin::rules::sigma
