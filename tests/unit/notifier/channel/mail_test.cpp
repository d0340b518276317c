// One message is one message whatever a name or address contains, and a mailbox never holds it twice.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "notifier/channel/channel.hpp"
#include "notifier/channel/mailbox/mailbox.hpp"
#include "tests/support/temporary_directory.hpp"

namespace tocsin::notifier {
namespace {

Message message() {
  Message m;
  m.id = "n1-0123456789abcdef";
  m.from = "privacy@linden-clinic.example";
  m.from_name = "Linden Clinic";
  m.to = "ada.abel@example.org";
  m.to_name = "Ada Åbel";
  m.subject = "Important: your personal data – Linden Clinic";
  m.body = "Dear Ada Åbel,\n\n.a line with a dot\nFrom here on\n";
  m.language = "en";
  m.date = *parse_rfc3339("2026-11-23T15:59:30Z");
  return m;
}

TEST(Mail, IsPlainRfc5322) {
  const auto mail = compose_mail(message());
  ASSERT_TRUE(mail) << mail.error().text();
  for (const char* wanted : {"From: Linden Clinic <privacy@linden-clinic.example>\r\n", "Message-Id: <n1-0123456789abcdef@linden-clinic.example>\r\n",
                             "Date: Mon, 23 Nov 2026 15:59:30 +0000\r\n", "Auto-Submitted: auto-generated\r\n",
                             "Content-Type: text/plain; charset=utf-8\r\n", "Content-Transfer-Encoding: quoted-printable\r\n", "=C3=85bel"}) {
    EXPECT_NE(mail->find(wanted), std::string::npos) << wanted << "\n" << *mail;
  }
  for (std::size_t i = 0; i < mail->size(); ++i) {
    ASSERT_TRUE((*mail)[i] != '\n' || (i > 0 && (*mail)[i - 1] == '\r')) << "bare LF at " << i;
    ASSERT_TRUE((*mail)[i] != '\r' || (i + 1 < mail->size() && (*mail)[i + 1] == '\n')) << "bare CR at " << i;
    ASSERT_LT(static_cast<unsigned char>((*mail)[i]), 0x80) << "8-bit byte at " << i;
  }
}

TEST(Mail, RefusesAddressesThatAreMoreThanOne) {
  for (const char* bad : {"", "ada", "@example.org", "ada@", "a b@example.org", "ada@example.org\r\nBcc: all@example.org", "ada@example.org,bob@example.org",
                          "<ada@example.org>", "ada@exa mple.org", "ada@-example.org", "ada..abel@example.org", "\"ada abel\"@example.org", "ada@example..org"}) {
    Message m = message();
    m.to = bad;
    EXPECT_FALSE(compose_mail(m)) << bad;
  }
  for (const char* good : {"ada@example.org", "a+b@x.example", "o'brien@example.org", "åda@example.org"}) EXPECT_TRUE(is_mail_address(good)) << good;
}

TEST(Mail, HostileNamesStayInTheirHeader) {
  Message m = message();
  m.to_name = "Ada\r\nBcc: all@example.org";
  m.subject = "Hi\nX-Evil: 1\r\n\r\nbody";
  const auto mail = compose_mail(m);
  ASSERT_TRUE(mail);
  EXPECT_EQ(mail->find("\nBcc:"), std::string::npos);
  EXPECT_EQ(mail->find("\nX-Evil"), std::string::npos);
}

TEST(Mailbox, HoldsAMessageOnceEvenIfAskedTwiceOrReadInBetween) {
  const TemporaryDirectory dir;
  auto box = open_mailbox(dir / "mail");
  ASSERT_TRUE(box);
  EXPECT_EQ((*box)->find(message().id), Handover::kTemporary);
  EXPECT_EQ((*box)->send(message()).handover, Handover::kDone);
  EXPECT_EQ((*box)->send(message()).handover, Handover::kDone);
  const auto count = [&](const char* part) {
    return std::distance(std::filesystem::directory_iterator(dir / "mail" / part), std::filesystem::directory_iterator());
  };
  EXPECT_EQ(count("new"), 1);
  std::filesystem::rename(dir / "mail" / "new" / message().id, dir / "mail" / "cur" / (message().id + ":2,S"));
  EXPECT_EQ((*box)->send(message()).handover, Handover::kDone);
  EXPECT_EQ(count("new"), 0);
}

TEST(Mailbox, SaysWhyItCannotBeMade) {
  auto box = open_mailbox("/proc/nowhere");
  ASSERT_FALSE(box);
  EXPECT_EQ(box.error().code, Errc::kIo);
  EXPECT_FALSE(box.error().remedy.empty());
}

}  // namespace
}  // namespace tocsin::notifier
