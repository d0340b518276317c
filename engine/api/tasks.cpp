// Requests become calls of Respond; who may change what of a task is decided here.
#include "engine/api/tasks.hpp"

#include <map>

namespace tocsin::engine {

namespace json = boost::json;
using storage::IncidentStore;
using storage::Reader;
using storage::Task;
using storage::TaskStore;

namespace {

Result<json::object> with_number(Reader& reader, const Task& task, Time now) {
  auto incident = IncidentStore::incident(reader, task.incident);
  if (!incident) return pass(std::move(incident));
  return task_json(task, *incident ? (*incident)->number : std::string(), now);
}

Result<json::array> list(Reader& reader, const storage::TaskQuery& query, Time now) {
  auto tasks = TaskStore::list(reader, query, now);
  if (!tasks) return pass(std::move(tasks));
  std::map<std::int64_t, std::string> numbers;
  json::array items;
  for (const Task& task : *tasks) {
    auto [number, fresh] = numbers.try_emplace(task.incident);
    if (fresh) {
      auto incident = IncidentStore::incident(reader, task.incident);
      if (!incident) return pass(std::move(incident));
      if (*incident) number->second = (*incident)->number;
    }
    items.emplace_back(task_json(task, number->second, now));
  }
  return items;
}

Result<Respond::TaskChange> change_of(const json::object& body) {
  Respond::TaskChange out;
  auto state = maybe_text_of(body, "state");
  if (!state) return pass(std::move(state));
  if (*state) {
    out.state = storage::task_state_from(**state);
    if (!out.state) return fail(Errc::kInvalid, "'state' must be open, doing, done or dropped");
  }
  struct Text {
    std::string_view key;
    std::optional<std::string>& target;
  };
  for (const Text& text : {Text{"title", out.title}, Text{"detail", out.detail}, Text{"proof", out.proof}}) {
    auto value = maybe_text_of(body, text.key);
    if (!value) return pass(std::move(value));
    text.target = std::move(*value);
  }
  // null = nobody, and no due time.
  if (body.contains("owner")) {
    auto owner = maybe_text_of(body, "owner");
    if (!owner) return pass(std::move(owner));
    out.owner = owner->value_or("");
  }
  if (body.contains("due")) {
    auto due = maybe_time_of(body, "due");
    if (!due) return pass(std::move(due));
    out.due = *due;
  }
  return out;
}

// Whose job a task is while nobody owns it.
unsigned role_of(const Task& task) {
  if (task.owner_role == "approver") return kApprover;
  if (task.owner_role == "manager") return kManager;
  if (task.owner_role == "admin") return kAdmin;
  return kAnalyst;
}

// nullopt = allowed.
std::optional<Error> refusal(const Principal& who, const Task& task, const Respond::TaskChange& change) {
  if (who.has(kManager)) return std::nullopt;
  const bool takes = task.owner.empty() && who.has(role_of(task)) && (!change.owner || *change.owner == who.login);
  const bool owns = task.owner == who.login;
  const bool only_moves = !change.title && !change.detail && !change.due &&
                          (!change.owner || *change.owner == task.owner || (takes && *change.owner == who.login));
  if ((owns || takes) && only_moves) return std::nullopt;
  Error error;
  error.code = Errc::kForbidden;
  error.message = owns || takes ? "only a manager may change the words, the owner or the due time of a task"
                                : "only its owner or a manager may change this task";
  error.remedy = "ask a manager";
  return error;
}

}  // namespace

void add_task_routes(Router& router, const WorkflowApi& api) {
  router.add("GET", "/v1/tasks", kAnyUser, [api](const Request& request) {
    const auto yes = [&](const char* name) {
      const std::string value = request.query_or(name, "");
      return value == "true" || value == "1";
    };
    storage::TaskQuery query;
    if (yes("mine")) query.owner = request.who.login;
    query.late = yes("late");
    query.open = yes("open");
    query.limit = TaskStore::kMaxPage;
    auto incident = number_of(request, "incident", 0, 1ULL << 52);
    if (!incident) return problem(incident.error());
    if (*incident > 0) query.incident = static_cast<std::int64_t>(*incident);
    auto items = api.database().read([&](Reader& reader) { return list(reader, query, api.now()); });
    if (!items) return problem(items.error());
    return ok_list(std::move(*items));
  });

  router.add("POST", "/v1/incidents/{id}/tasks", kManager, [api](const Request& request) {
    auto id = incident_param(request, api.database());
    if (!id) return problem(id.error());
    auto body = request.json();
    if (!body) return problem(body.error());
    auto by = by_of(request, *body);
    if (!by) return problem(by.error());
    Respond::NewTask wanted;
    wanted.incident = *id;
    auto title = text_of(*body, "title");
    if (!title) return problem(title.error());
    wanted.title = std::move(*title);
    struct Text {
      std::string_view key;
      std::string& target;
    };
    for (const Text& text :
         {Text{"detail", wanted.detail}, Text{"owner", wanted.owner}, Text{"asked_proof", wanted.asked_proof}}) {
      auto value = maybe_text_of(*body, text.key);
      if (!value) return problem(value.error());
      text.target = value->value_or("");
    }
    auto due = maybe_time_of(*body, "due");
    if (!due) return problem(due.error());
    wanted.due = *due;
    auto task = api.respond.add_task(wanted, *by);
    if (!task) return problem(task.error());
    auto out = api.database().read([&](Reader& reader) { return with_number(reader, *task, api.now()); });
    if (!out) return problem(out.error());
    return ok(*out, 201);
  });

  router.add("PATCH", "/v1/tasks/{id}", kAnalyst | kApprover | kManager | kAdmin, [api](const Request& request) {
    auto id = id_param(request, "id", "task");
    if (!id) return problem(id.error());
    auto body = request.json();
    if (!body) return problem(body.error());
    auto by = by_of(request, *body);
    if (!by) return problem(by.error());
    auto change = change_of(*body);
    if (!change) return problem(change.error());
    auto before = api.database().read([&](Reader& reader) { return TaskStore::task(reader, *id); });
    if (!before) return problem(before.error());
    if (!*before) {
      Error error;
      error.code = Errc::kNotFound;
      error.message = "there is no such task";
      return problem(error);
    }
    if (auto refused = refusal(request.who, **before, *change)) return problem(*refused);
    // Ownership was read before; a change since then must not slip past the check.
    if (!by->version && !request.who.has(kManager)) by->version = (*before)->version;
    auto task = api.respond.change_task(*id, *by, *change);
    if (!task) return problem(task.error());
    auto out = api.database().read([&](Reader& reader) { return with_number(reader, *task, api.now()); });
    if (!out) return problem(out.error());
    return ok(*out);
  });
}

}  // namespace tocsin::engine
