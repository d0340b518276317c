// The person behind a shared account, where the source's configuration says what to believe:
//
//   person: {webapp: comment.user, "pool-*": application_name, batch: role}
//
// For each account (or a pattern with '*' at its end) the place that names the person: the application's name, the
// role taken on by SET ROLE, or a key of the comment that a statement carries (sqlcommenter: /*user='nurse1'*/).
// Nothing is believed by itself: whoever may write SQL may write a comment.
#pragma once

#include <map>
#include <string>

#include "engine/access/access.hpp"
#include "rules/base/result.hpp"

namespace tocsin::engine {

using PersonPlaces = std::map<std::string, std::string>;  // account -> place

// kInvalid, naming it, for a place that does not exist.
[[nodiscard]] Result<void> check_places(const PersonPlaces& places);

// Fills access.actor.person if it is empty and a place for the account names somebody.
void name_person(const PersonPlaces& places, Access& access);

// The value of `key` in the last comment of `sql` ("key='value',…", values URL-encoded); empty if there is none.
[[nodiscard]] std::string comment_value(std::string_view sql, std::string_view key);

}  // namespace tocsin::engine
