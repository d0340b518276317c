// The data directory belongs to the account that runs Tocsin and to nobody else: raw events and the names of columns, actors
// and incidents lie in it, and whoever may read a file may copy it.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "rules/base/result.hpp"

namespace tocsin::engine {

// What this process makes from now on is for its own account only (umask 077). Not thread-safe: before the threads start.
void keep_files_private();

// keep_files_private(), and makes the directory (mode 0700) or takes one that is there. One of an earlier release is closed to
// others: the directory itself, and the database's files. A directory that holds no data of ours, or belongs to another account,
// is left as it is; if others may look into it, that is told through `tell`, one line.
[[nodiscard]] Result<void> open_data_folder(const std::filesystem::path& dir, const std::function<void(const std::string&)>& tell = {});

}  // namespace tocsin::engine
