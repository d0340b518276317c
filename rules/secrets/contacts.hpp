// E-mail addresses and telephone numbers. Ordinary logs are full of them (a mail address is the commonest user name), so
// they are looked for only where Options::contacts asks.
#pragma once

#include <string_view>
#include <vector>

#include "rules/secrets/scanner.hpp"

namespace tocsin::rules::secrets {

struct ContactFound {
  bool phone = false;  // else an e-mail address
  Tier tier = Tier::kPattern;
  std::size_t start = 0;
  std::size_t end = 0;
};

// Appends in order of start. E-mail: local part, '@', a host name of two labels or more (RFC 5321's characters, without
// quoted local parts). Phone: '+' and a calling code that exists (ITU E.164), 8 to 15 digits (tier structure); and
// national forms behind a word for telephone (tier pattern). Linear in the text.
void find_contacts(std::string_view text, std::vector<ContactFound>& out);

}  // namespace tocsin::rules::secrets
