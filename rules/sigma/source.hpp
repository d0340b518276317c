// Which log source a JSON event belongs to, told from its own members, and Windows events made flat. For reading
// files that nobody has described; a configured source says what it is and needs none of this.
#pragma once

#include "rules/event.hpp"

namespace tocsin::rules::sigma {

// Recognises CloudTrail, Google Cloud audit, Google Workspace, Okta, Kubernetes audit, Microsoft 365, Azure activity,
// audit, sign-in and risk logs, GitHub, Bitbucket, OneLogin, OpenCanary, Windows (flattened or not; service by channel,
// category by event number) and normalised accesses. Empty if nothing fits: then every rule is
// tried. The texts are constants.
[[nodiscard]] LogSource recognise_source(const Value& root) noexcept;

// The Windows form {"Event": {"System": …, "EventData": …}} as one flat object: the scalars of System by name,
// attributes as Name_Attribute, the members of EventData and UserData by name, and names that hold blanks also
// without them. A flat Windows event with such names gets them too. Any other value is returned as it is. What is made lives in `arena`.
[[nodiscard]] Value flatten_windows(const Value& root, Arena& arena);

}  // namespace tocsin::rules::sigma
