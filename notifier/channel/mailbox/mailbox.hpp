// The embedded default: a Maildir that any mail program can read. A message's file name is its id, so that
// handing the same message over twice leaves one message, even across a crash.
#pragma once

#include <filesystem>

#include "notifier/channel/channel.hpp"

namespace tocsin::notifier {

// Makes DIR/tmp, DIR/new and DIR/cur if they are absent.
[[nodiscard]] Result<std::unique_ptr<Channel>> open_mailbox(const std::filesystem::path& dir);

}  // namespace tocsin::notifier
