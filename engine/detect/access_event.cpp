// Access → rules::Event.
#include "engine/detect/access_event.hpp"

#include <chrono>

namespace tocsin::engine {
namespace {

constexpr std::size_t kMostFields = 28;

class Fields {
 public:
  explicit Fields(rules::Arena& arena) : arena_(arena), fields_(arena.make<rules::Field>(kMostFields)) {}
  void text(std::string_view key, std::string_view value) {
    if (!value.empty()) add(key, rules::Value::of(value));
  }
  void list(std::string_view key, const std::vector<std::string>& values) {
    if (values.empty()) return;
    const auto items = arena_.make<rules::Value>(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) items[i] = rules::Value::of(std::string_view(values[i]));
    add(key, rules::Value::array(items));
  }
  void amount(std::string_view key, const Amount& amount) {
    if (amount.certainty != Certainty::kUnknown) add(key, rules::Value::of(static_cast<std::int64_t>(amount.value)));
  }
  void add(std::string_view key, rules::Value value) { fields_[count_++] = {key, value}; }
  [[nodiscard]] rules::Value done() const { return rules::Value::object(fields_.first(count_)); }

 private:
  rules::Arena& arena_;
  std::span<rules::Field> fields_;
  std::size_t count_ = 0;
};

}  // namespace

rules::Event access_event(const Access& a, rules::Arena& arena) {
  Fields f(arena);
  f.text("actor", a.actor.shown());
  f.text("person", a.actor.person);
  f.text("account", a.actor.account);
  f.text("role", a.actor.role);
  f.text("session", a.actor.session);
  f.text("action", name(a.action));
  f.text("operation", a.operation);
  f.text("system", a.resource.system);
  f.text("store", a.resource.store);
  f.text("dataset", a.resource.dataset);
  f.list("columns", a.resource.columns);
  f.list("subjects", a.subjects);
  f.amount("rows", a.rows);
  f.text("rows_certainty", name(a.rows.certainty));
  f.amount("bytes", a.bytes);
  f.text("client_ip", a.client.ip);
  if (a.client.port != 0) f.add("client_port", rules::Value::of(static_cast<std::int64_t>(a.client.port)));
  f.text("application", a.via.empty() ? a.client.user_agent : a.via);
  f.text("outcome", name(a.outcome));
  f.text("error", a.error);
  f.text("format", a.format);
  f.text("statement", a.statement.text);
  f.text("command", a.statement.command);
  f.text("audit_class", a.statement.audit_class);
  if (a.time_known) {
    const auto day = std::chrono::floor<std::chrono::days>(a.time);
    f.add("hour", rules::Value::of(static_cast<std::int64_t>(std::chrono::duration_cast<std::chrono::hours>(a.time - day).count())));
  }
  rules::Event event;
  event.source.category = "data_access";
  event.root = f.done();
  return event;
}

}  // namespace tocsin::engine
