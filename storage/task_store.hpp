// Tasks: the steps of a fix, each with an owner, a due time and the proof that it was done.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/result.hpp"
#include "rules/base/time.hpp"
#include "storage/sqlite/database.hpp"

namespace tocsin::storage {

enum class TaskState : std::uint8_t { kOpen, kDoing, kDone, kDropped };
[[nodiscard]] std::string_view name(TaskState state) noexcept;  // "open", "doing", "done", "dropped"
[[nodiscard]] std::optional<TaskState> task_state_from(std::string_view name) noexcept;

struct Task {
  std::int64_t id = 0;  // given by the store
  std::int64_t incident = 0;
  std::string key;         // of the playbook; empty = written by a person
  std::string title;
  std::string detail;
  std::string phase;       // function of NIST CSF 2.0, as the playbook says; may be empty
  std::string owner;       // login; empty = nobody yet
  std::string owner_role;  // whose job it is: "analyst", "manager"; may be empty
  std::optional<Time> due;
  TaskState state = TaskState::kOpen;
  std::string asked_proof;  // what would show that it is done
  std::string proof;        // what does show it
  std::string reason;       // why it was closed without proof, or dropped
  Time created{};
  std::string created_by;
  std::optional<Time> done_at;
  std::string done_by;
  Time updated{};
  std::int64_t version = 1;  // grows with each change
  [[nodiscard]] bool open() const noexcept { return state == TaskState::kOpen || state == TaskState::kDoing; }
  [[nodiscard]] bool late(Time now) const noexcept { return open() && due && *due < now; }
};

struct TaskQuery {
  std::string owner;  // empty = anybody's
  bool late = false;  // only late ones
  bool open = false;  // only open ones
  std::optional<std::int64_t> incident;
  std::size_t limit = 500;
};
struct TaskCounts {
  std::uint64_t open = 0;
  std::uint64_t late = 0;
};

class TaskStore {
 public:
  static constexpr std::string_view kFamily = "tasks";
  static constexpr std::size_t kMaxPage = 1000;
  static constexpr std::uint64_t kMaxPerIncident = 1000;

  [[nodiscard]] static std::span<const Migration> migrations();

  // Sets the id.
  [[nodiscard]] static Result<void> insert(Transaction& tx, Task& task);
  [[nodiscard]] static Result<void> update(Transaction& tx, const Task& task);
  [[nodiscard]] static Result<std::optional<Task>> task(Reader& reader, std::int64_t id);
  // Open ones first, next due first, those without a due time after them.
  [[nodiscard]] static Result<std::vector<Task>> list(Reader& reader, const TaskQuery& query, Time now);
  [[nodiscard]] static Result<TaskCounts> counts(Reader& reader, Time now);
};

}  // namespace tocsin::storage
