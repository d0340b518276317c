// Small files that are there in full or not at all: temporary name, fsync, rename, fsync of the directory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "rules/base/result.hpp"

namespace tocsin::storage {

// Names of unfinished files begin so; whoever owns the directory removes them at start.
constexpr std::string_view kTemporaryPrefix = ".tmp-";

// Writes `bytes` to `file`, replacing it. Once it returns with success, content and (unless `sync_parent` is
// false: then the caller syncs the directory later) name survive power loss. On failure the old file is as it was.
// Errors: kTooLarge on a full disk, kIo.
[[nodiscard]] Result<void> write_durably(const std::filesystem::path& file, std::string_view bytes,
                                         unsigned mode = 0640, bool sync_parent = true);

// Makes names created or renamed in `directory` durable.
[[nodiscard]] Result<void> sync_directory(const std::filesystem::path& directory);

// Creates `directory` and its missing parents, each durable in its parent.
[[nodiscard]] Result<void> make_directories(const std::filesystem::path& directory);

// The whole file. Errors: kNotFound, kTooLarge (over `limit`), kIo.
[[nodiscard]] Result<std::string> read_whole(const std::filesystem::path& file, std::uint64_t limit);

// What the operating system's `number` means for `doing` with `file`: kTooLarge for a full disk, kNotFound,
// kForbidden, else kIo.
[[nodiscard]] tl::unexpected<Error> system_failure(int number, std::string_view doing,
                                                   const std::filesystem::path& file);

}  // namespace tocsin::storage
