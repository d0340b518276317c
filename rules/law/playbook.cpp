// Reading of playbooks.
#include "rules/law/playbook.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "rules/base/embedded.hpp"
#include "rules/base/text.hpp"
#include "rules/law/yaml.hpp"

namespace tocsin::rules::law {

std::span<const EmbeddedFile> embedded_playbooks();  // made by tocsin_embed

namespace {

using yaml::bad;

constexpr std::array<std::string_view, 4> kRoles = {"analyst", "approver", "manager", "admin"};
constexpr std::array<std::string_view, 5> kAnchors = {"aware", "opened", "confirmed", "contained", "people_told"};
constexpr std::size_t kMaxTasks = 200;

// "90m", "4h", "30d"
std::chrono::minutes read_span(const YAML::Node& node) {
  constexpr std::int64_t kMaxMinutes = 60LL * 24 * 3660;
  const std::string text = node && node.IsScalar() ? node.Scalar() : std::string();
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc{} && end + 1 == text.data() + text.size() && value >= 0 && value <= kMaxMinutes) {
    const std::int64_t unit = *end == 'm' ? 1 : *end == 'h' ? 60 : *end == 'd' ? 60 * 24 : 0;
    if (unit > 0 && value * unit <= kMaxMinutes) return std::chrono::minutes(value * unit);
  }
  bad(node, "a due time is a number with m, h or d, as in 90m, 4h or 30d");
}

template <std::size_t N>
std::string one_of(const YAML::Node& map, const char* key, const std::array<std::string_view, N>& known, std::string_view what) {
  std::string value = yaml::text(map, key, what);
  if (std::find(known.begin(), known.end(), value) != known.end()) return value;
  std::string list;
  for (const auto word : known) list += (list.empty() ? "" : ", ") + std::string(word);
  bad(map[key], std::string("'") + key + "' must be one of " + list);
}

PlaybookTask read_task(const YAML::Node& node) {
  yaml::only_keys(node, {"key", "title", "detail", "owner", "due", "proof", "phase", "duty"}, "a task");
  PlaybookTask task;
  task.key = yaml::text(node, "key", "a task");
  const std::string what = "the task '" + printable(task.key, 60) + "'";
  task.title = yaml::text(node, "title", what);
  task.detail = yaml::text(node, "detail", what);
  task.owner_role = one_of(node, "owner", kRoles, what);
  const YAML::Node due = node["due"];
  if (!due || !due.IsMap()) bad(node, what + " needs 'due', as in {after: aware, within: 24h}");
  yaml::only_keys(due, {"after", "within"}, "'due'");
  task.due_anchor = one_of(due, "after", kAnchors, "'due'");
  task.due_after = read_span(due["within"]);
  task.proof = yaml::text(node, "proof", what);
  task.phase = yaml::text(node, "phase", what);
  task.duty = yaml::text_or(node, "duty");
  return task;
}

Playbook read_root(const YAML::Node& root) {
  yaml::only_keys(root, {"playbook", "title", "version", "tasks"}, "a playbook");
  Playbook out;
  out.key = yaml::text(root, "playbook", "a playbook");
  out.title = yaml::text(root, "title", "a playbook");
  out.version = yaml::text(root, "version", "a playbook");
  const YAML::Node tasks = root["tasks"];
  if (!tasks || !tasks.IsSequence() || tasks.size() == 0) bad(root, "a playbook needs 'tasks'");
  if (tasks.size() > kMaxTasks) bad(tasks, "too many tasks", Errc::kTooLarge);
  for (const auto& node : tasks) {
    PlaybookTask task = read_task(node);
    if (std::any_of(out.tasks.begin(), out.tasks.end(), [&](const auto& t) { return t.key == task.key; })) {
      bad(node, "the task '" + printable(task.key, 60) + "' stands twice");
    }
    out.tasks.push_back(std::move(task));
  }
  return out;
}

}  // namespace

Result<Playbook> load_playbook(const Source& file) {
  return yaml::guarded(file.text, file.name, kMaxDocument, [](const YAML::Node& root) { return read_root(root); });
}

Result<Playbook> load_built_in_playbook() {
  for (const auto& file : embedded_playbooks()) return load_playbook({std::string(file.name), std::string(file.text)});
  return fail(Errc::kNotFound, "no playbook is built in");
}

}  // namespace tocsin::rules::law
