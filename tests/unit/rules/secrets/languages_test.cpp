// A password under its name in each official language of the European Union and the other large ones of Europe: as a
// key, as JSON, as a label; and sentences that only speak of one.
#include <gtest/gtest.h>

#include "rules/secrets/scanner.hpp"

namespace tocsin::rules::secrets {
namespace {

TEST(Languages, NamesOfPasswords) {
  struct Row {
    const char* language;
    const char* word;
    const char* sentence;  // no password in it
  };
  const Row rows[] = {
      {"Bulgarian", "парола", "паролата е сменена от администратор"},
      {"Croatian", "lozinka", "lozinka je promijenjena"},
      {"Czech", "heslo", "heslo bylo změněno"},
      {"Danish", "adgangskode", "adgangskode er ændret"},
      {"Dutch", "wachtwoord", "wachtwoord is verlopen"},
      {"English", "password", "password was changed by anna"},
      {"Estonian", "parool", "parool on muudetud"},
      {"Finnish", "salasana", "salasana on vaihdettu"},
      {"French", "mot_de_passe", "mot de passe modifié par anna"},
      {"German", "Passwort", "Passwort wurde geändert"},
      {"German, too", "Kennwort", "Kennwort abgelaufen"},
      {"Greek", "κωδικός", "ο κωδικός άλλαξε"},
      {"Hungarian", "jelszó", "jelszó megváltozott"},
      {"Irish", "pasfhocal", "pasfhocal athraithe"},
      {"Italian", "parola", "parola chiave modificata"},
      {"Latvian", "parole", "parole ir mainīta"},
      {"Lithuanian", "slaptažodis", "slaptažodis pakeistas"},
      {"Maltese, as everywhere", "password", "password inbidel"},
      {"Polish", "hasło", "hasło zostało zmienione"},
      {"Portuguese", "senha", "senha alterada"},
      {"Portuguese, too", "palavra_passe", "palavra-passe alterada"},
      {"Romanian", "parolă", "parolă schimbată"},
      {"Slovak", "heslo", "heslo bolo zmenené"},
      {"Slovene", "geslo", "geslo je bilo spremenjeno"},
      {"Spanish", "contraseña", "contraseña cambiada"},
      {"Spanish, too", "clave", "clave caducada"},
      {"Swedish", "lösenord", "lösenord ändrat"},
      {"Norwegian", "passord", "passord endret"},
      {"Icelandic", "lykilorð", "lykilorð breytt"},
      {"Russian", "пароль", "пароль изменён"},
      {"Ukrainian", "пароль", "пароль змінено"},
      {"Serbian", "лозинка", "лозинка је промењена"},
      {"Turkish", "şifre", "şifre değiştirildi"},
      {"Albanian", "fjalëkalimi", "fjalëkalimi u ndryshua"},
      {"Basque", "pasahitza", "pasahitza aldatu da"},
      {"Catalan", "contrasenya", "contrasenya canviada"},
      {"Welsh", "cyfrinair", "cyfrinair wedi newid"},
  };
  auto loaded = Scanner::load({}, Options{});
  ASSERT_TRUE(loaded) << loaded.error().text();
  const auto found = [&](const std::string& line) {
    std::vector<Hit> hits;
    loaded->scanner.scan(line, hits);
    return hits.size();
  };
  for (const Row& row : rows) {
    const std::string word = row.word;
    for (const std::string& line : {"user=anna " + word + "=Regen7bogen ip=10.0.0.1", "{\"user\":\"anna\",\"" + word + "\":\"Regen7bogen\"}", word + ": Regen7bogen"}) {
      EXPECT_EQ(found(line), 1U) << row.language << ": " << line;
    }
    EXPECT_EQ(found(row.sentence), 0U) << row.language << ": " << row.sentence;
  }
}

}  // namespace
}  // namespace tocsin::rules::secrets
