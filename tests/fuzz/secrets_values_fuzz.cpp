// Any bytes as a value: tokens, national numbers of every kind, cards, IBANs, contacts, digests. What is said of them is
// short and printable, and the places named lie inside the text.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "rules/secrets/contacts.hpp"
#include "rules/secrets/national.hpp"
#include "rules/secrets/numbers.hpp"
#include "rules/secrets/shapes.hpp"
#include "rules/secrets/tokens.hpp"
#include "rules/secrets/value.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tocsin::rules::secrets;
  constexpr std::size_t kMax = 4096;
  if (size > kMax) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const TokenFacts facts = inspect_token(text);
  if (facts.note.size() > TokenFacts::kMaxNote + 8 || (!facts.known && !facts.note.empty())) std::abort();
  for (const char c : facts.note) {
    if (static_cast<unsigned char>(c) < 0x20) std::abort();
  }
  const std::string compact = compact_number(text);
  if (compact.size() > kMaxNational) std::abort();
  if (!compact.empty()) {
    for (const auto& kinds : {european_numbers(), world_numbers()}) {
      for (const auto& kind : kinds) (void)kind.check(compact);
    }
  }
  for (const char* number : {"payment-card", "iban", "es-dni|ar-dni|pe-dni", "no-such"}) (void)inspect_number(number, text);
  std::vector<ContactFound> contacts;
  find_contacts(text, contacts);
  for (const auto& contact : contacts) {
    if (contact.start >= contact.end || contact.end > size) std::abort();
  }
  (void)sasl_plain_password(text);
  (void)digest_form(text);
  (void)is_date(text);
  (void)is_path(text);
  return 0;
}
