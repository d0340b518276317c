// A playbook: the steps that close the hole and tell people, as data. Each has an owner, a due time after an
// anchor, and the proof that it was done. Format: ops/docs/formats/playbook.md.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/result.hpp"
#include "rules/law/pack.hpp"

namespace tocsin::rules::law {

struct PlaybookTask {
  std::string key;         // stable name within the playbook: "revoke-access"
  std::string title;       // what to do, one line
  std::string detail;      // how, in plain English
  std::string owner_role;  // "analyst", "approver", "manager" or "admin"
  std::string due_anchor;  // "aware", "opened", "confirmed", "contained" or "people_told"
  std::chrono::minutes due_after{};  // after that anchor
  std::string proof;       // what shows that it is done
  std::string phase;       // NIST SP 800-61r3 / CSF 2.0 function: "Respond: mitigation"
  std::string duty;        // the id of the duty it serves; empty = none
};

struct Playbook {
  std::string key;
  std::string title;
  std::string version;
  std::vector<PlaybookTask> tasks;  // in the order to be shown
};

// Reads one playbook (YAML). A task without title, owner, due or proof is refused, as are unknown roles, anchors
// and doubled keys: kInvalid with the line.
[[nodiscard]] Result<Playbook> load_playbook(const Source& file);

// rules/packs/playbooks/personal-data-breach.yaml, built into the program.
[[nodiscard]] Result<Playbook> load_built_in_playbook();

}  // namespace tocsin::rules::law
