// What the reader has learned from a log, as bytes that outlast a restart: relations (columns, views, copies) and what
// sessions are in the middle of (cursors, prepared statements, transactions, the lines of a statement). Statements are
// kept as their text and read again. Bytes: ops/docs/formats/exposure-learned.md.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <string>
#include <string_view>

#include "engine/exposure/catalogue.hpp"
#include "engine/exposure/reader.hpp"
#include "engine/exposure/session.hpp"
#include "rules/base/result.hpp"
#include "storage/people.hpp"

namespace tocsin::engine {

using Catalogues = std::map<std::string, Catalogue>;  // by source and database

// Relations come first, then sessions, the newest first; what finds no room is left out and counted.
inline constexpr std::size_t kMaxLearnedBytes = 64UL << 20;

[[nodiscard]] LearnedBytes save_learned(const Catalogues& catalogues, const std::list<Session>& sessions, std::size_t most = kMaxLearnedBytes,
                                         const std::map<std::string, Time>& disproved = {});

// Replaces both. Errors: kCorrupt, kUnsupported (a newer version); both are then empty. People whom `registers` does
// not know are left away; they cannot be there unless the bytes belong to another register.
[[nodiscard]] Result<LearnedCounts> restore_learned(std::string_view bytes, const ExposureReader::Options& options,
                                                    const storage::Registers& registers, Catalogues& catalogues, std::list<Session>& sessions,
                                                    std::map<std::string, Time>* disproved = nullptr);

}  // namespace tocsin::engine
