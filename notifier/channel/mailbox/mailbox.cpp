// Maildir (D. J. Bernstein, 1995): write to tmp, sync, link into new. A name that is in new or cur has been
// handed over.
#include "notifier/channel/mailbox/mailbox.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tocsin::notifier {
namespace {

class Mailbox final : public Channel {
 public:
  explicit Mailbox(std::filesystem::path dir) : dir_(std::move(dir)) {}

  [[nodiscard]] std::string_view name() const noexcept override { return "mailbox"; }

  [[nodiscard]] Receipt send(const Message& message) override {
    if (find(message.id) == Handover::kDone) return {Handover::kDone, "already in the mailbox", ""};
    auto mail = compose_mail(message);
    if (!mail) return {Handover::kPermanent, mail.error().message, mail.error().remedy};
    const std::filesystem::path draft = dir_ / "tmp" / message.id, final = dir_ / "new" / message.id;
    const int fd = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return refused("open");
    std::size_t done = 0;
    while (done < mail->size()) {
      const ssize_t n = ::write(fd, mail->data() + done, mail->size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) {
        const Receipt receipt = refused("write");
        ::close(fd);
        ::unlink(draft.c_str());
        return receipt;
      }
      done += static_cast<std::size_t>(n);
    }
    const bool synced = ::fdatasync(fd) == 0;
    ::close(fd);
    if (!synced || ::rename(draft.c_str(), final.c_str()) != 0) {
      const Receipt receipt = refused("sync");
      ::unlink(draft.c_str());
      return receipt;
    }
    return {Handover::kDone, "stored as new/" + message.id, ""};
  }

  [[nodiscard]] Handover find(std::string_view id) override {
    std::error_code ec;
    if (std::filesystem::exists(dir_ / "new" / id, ec)) return Handover::kDone;
    // A mail program that has shown it moves it to cur and adds flags after ":2,".
    for (const auto& entry : std::filesystem::directory_iterator(dir_ / "cur", ec)) {
      const std::string file = entry.path().filename().string();
      if (file == id || (file.size() > id.size() && file.compare(0, id.size(), id) == 0 && file[id.size()] == ':')) return Handover::kDone;
    }
    return Handover::kTemporary;
  }

 private:
  static Receipt refused(const char* doing) {
    const int error = errno;
    return {Handover::kTemporary, std::string("the mailbox cannot be written: ") + doing + ": " + std::strerror(error),
            error == ENOSPC ? "free some space on its disk" : "check that tocsin may write to the folder"};
  }

  std::filesystem::path dir_;
};

}  // namespace

Result<std::unique_ptr<Channel>> open_mailbox(const std::filesystem::path& dir) {
  for (const char* part : {"tmp", "new", "cur"}) {
    std::error_code ec;
    std::filesystem::create_directories(dir / part, ec);
    if (ec) return fail(Errc::kIo, "the mailbox cannot be made: " + ec.message(), (dir / part).string(), "name another folder as notices.mailbox");
  }
  return std::unique_ptr<Channel>(new Mailbox(dir));
}

}  // namespace tocsin::notifier
