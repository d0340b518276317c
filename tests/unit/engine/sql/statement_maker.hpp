// Random statements in which the kind and the place of constants matter, ordinary ones and hostile ones; for tests
// that hold the cached reading against a fresh one. The same seed makes the same statements.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tocsin::engine::sql {

class StatementMaker {
 public:
  explicit StatementMaker(std::uint64_t seed) : state_(seed * 2 + 1) {}

  // One of a few hundred forms, with fresh constants; sometimes with a token changed, doubled or cut out.
  std::string postgres() { return make(kPostgres, false); }
  std::string mysql() { return make(kMysql, true); }

  std::size_t below(std::size_t n) {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::size_t>(state_ >> 33U) % n;
  }

 private:
  // #: a number, ~: a string, @: any constant, %: a list of constants
  static constexpr std::string_view kPostgres[] = {
      "SELECT name FROM patient WHERE id = #",
      "SELECT name FROM patient WHERE id = -#",
      "SELECT name FROM patient WHERE id = - #",
      "SELECT name FROM patient WHERE id = -(#)",
      "SELECT name FROM patient WHERE id = - -#",
      "SELECT name FROM patient WHERE id = +#",
      "SELECT name FROM patient WHERE id = /* # */ @",
      "SELECT name FROM patient WHERE id IN (%) AND country = ~",
      "SELECT name FROM patient WHERE id = ANY(ARRAY[%])",
      "SELECT name FROM patient WHERE id = ANY('{1,2}'::int[])",
      "SELECT name FROM patient WHERE id = ANY(~)",
      "SELECT name FROM patient WHERE id BETWEEN # AND @ OR # <= id",
      "SELECT name FROM patient WHERE name LIKE ~ AND email ILIKE ~ ESCAPE ~",
      "SELECT name FROM patient WHERE born > date ~ AND seen < now() - interval ~",
      "SELECT name FROM patient WHERE born > ~::date AND x = #::text AND y = CAST(@ AS varchar(#))",
      "SELECT name FROM patient WHERE f(#, ~) = # AND b IS TRUE AND c = NULL",
      "SELECT name FROM patient ORDER BY # LIMIT #",
      "SELECT name FROM patient ORDER BY name LIMIT # OFFSET #",
      "SELECT name FROM patient FETCH FIRST # ROWS ONLY",
      "SELECT name FROM patient LIMIT ~",
      "SELECT name FROM patient LIMIT -#",
      "SELECT country, ward, count(*) FROM patient GROUP BY #, 2",
      "SELECT name, id FROM patient GROUP BY #",
      "SELECT DISTINCT ON (#) name FROM patient",
      "SELECT @, name AS x, # + id FROM patient p JOIN visit v ON v.patient_id = p.id AND v.ward = ~ WHERE p.id = $1",
      "SELECT name FROM patient WHERE (id, country) = (#, ~)",
      "SELECT name FROM patient WHERE id = # UNION SELECT name FROM patient WHERE id = # LIMIT #",
      "WITH w AS (SELECT * FROM patient WHERE id < #) SELECT name FROM w a, w b WHERE a.id = @",
      "SELECT * FROM (SELECT id, name FROM patient LIMIT #) s WHERE s.id = #",
      "SELECT * FROM patient TABLESAMPLE system (#) WHERE id = #",
      "INSERT INTO patient (id, name, country) VALUES (#, ~, @), (#, ~, NULL)",
      "INSERT INTO patient VALUES (%) ON CONFLICT (id) DO UPDATE SET name = ~ RETURNING id",
      "INSERT INTO copy SELECT * FROM patient WHERE id < #",
      "UPDATE patient SET name = ~, age = # WHERE id = @ RETURNING *",
      "UPDATE patient SET name = ~ || name, age = -# WHERE id IN (%)",
      "DELETE FROM patient WHERE id = # RETURNING name",
      "COPY (SELECT * FROM patient WHERE id < #) TO STDOUT WITH (FORMAT csv, DELIMITER ~)",
      "COPY patient TO ~",
      "COPY patient (id, name) TO PROGRAM ~",
      "DECLARE c CURSOR FOR SELECT * FROM patient WHERE id > #",
      "FETCH # FROM c",
      "FETCH FORWARD # c",
      "FETCH BACKWARD # FROM c",
      "FETCH ABSOLUTE -# FROM c",
      "MOVE # FROM c",
      "PREPARE q (int) AS SELECT * FROM patient WHERE id = $1 AND ward = #",
      "EXECUTE q (#, ~, -#)",
      "SET search_path = ~, public",
      "SET work_mem TO #",
      "SET TIME ZONE ~",
      "CREATE TABLE t (a varchar(#), b float(#), c numeric(#, 2) DEFAULT #)",
      "CREATE TABLE t AS SELECT * FROM patient WHERE id = @",
      "CREATE VIEW v AS SELECT name FROM patient WHERE id > #",
      "SELECT # AS a; SELECT name FROM patient WHERE id = #",
      "EXPLAIN ANALYZE SELECT * FROM patient WHERE id = @",
      "SELECT x::bit(#), B'01', X'1F', U&'\\0041', N'x' FROM patient WHERE id = #",
      "SELECT 'a'\n'b', ~ FROM patient WHERE name = 'a' -- x\n ~",
      "SELECT \"~\", \"a\"\"#\" FROM patient WHERE id=#AND name=~OR true",
      "SELECT 1.5.5, #..#, 5e, #a, .#, #. FROM patient",
      "SELECT $1, $#, $a$~$a$, $$#$$, $a$#$b$#$a$ FROM patient WHERE id = $2",
      "SELECT a.#, t.#e5, a[#:#] FROM patient a WHERE id->>~ = ~",
      "SELECT name FROM patient WHERE id = E~ AND name = E'a\\'b' AND x = E'\\x41'",
      "SELECT name FROM patient WHERE id = #--~\n AND name = ~ /* /* ' */ # */",
      "SELECT interval '# days', interval ~ day to hour, interval(#) ~, timestamp(#) ~ FROM patient WHERE id = #",
      "SELECT position(~ in name), substring(name from # for #), name AT TIME ZONE ~ FROM patient WHERE id = #",
      "SELECT xmlparse(content ~), CASE WHEN id = # THEN ~ ELSE @ END FROM patient",
      "SELECT count(*) FILTER (WHERE id = #), sum(#) OVER (ROWS BETWEEN # PRECEDING AND # FOLLOWING) FROM patient",
      "GRANT SELECT ON patient TO nurse",
      "COMMENT ON TABLE patient IS ~",
      "VALUES (#, ~), (@, @)",
      "CALL p(#, ~)",
      "SELECT name FROM patient WHERE id = # FOR UPDATE",
  };
  static constexpr std::string_view kMysql[] = {
      "SELECT `name` FROM patient WHERE id = #",
      "SELECT name FROM patient WHERE id = -# AND x = - #",
      "SELECT name FROM patient WHERE id IN (%) AND country = ~",
      "SELECT name FROM patient WHERE id = # LIMIT #",
      "SELECT name FROM patient WHERE id = # LIMIT #, #",
      "SELECT name FROM patient WHERE id = # LIMIT # OFFSET #",
      "SELECT SQL_NO_CACHE name FROM patient WHERE name LIKE ~ AND x <=> #",
      "SELECT /*!40001 SQL_NO_CACHE */ * FROM `patient`",
      "SELECT /*!50700 # */ name FROM patient WHERE id = #",
      "SELECT /*! # + */ name FROM patient WHERE id = # -- #\n AND y = #",
      "SELECT name FROM patient WHERE id = ? AND name = ~ ~ AND z = \"a\"\"b\"",
      "SELECT name FROM patient WHERE name = _utf8~ AND b = x'4D' AND c = 0x41 AND d = N~",
      "SELECT name INTO OUTFILE ~ FIELDS TERMINATED BY ~ FROM patient WHERE id = #",
      "SELECT country, count(*) FROM patient GROUP BY # HAVING count(*) > #",
      "SELECT NAME_CONST('i', #), date_add(x, INTERVAL # DAY) FROM patient WHERE id = NAME_CONST(~, #)",
      "SELECT p.name, v.ward FROM db.patient p STRAIGHT_JOIN visit v ON v.patient_id = p.id && v.ward = ~ WHERE p.id = @",
      "SELECT * FROM patient USE INDEX (a) WHERE id BETWEEN # AND # ORDER BY #",
      "SELECT group_concat(name ORDER BY id SEPARATOR ~) FROM patient WHERE id < #",
      "SELECT name FROM patient WHERE name REGEXP ~ OR id DIV # = # OR NOT ! id XOR #",
      "INSERT INTO patient (id, name) VALUES (#, ~), (#, ~)",
      "INSERT INTO patient SET id = #, name = ~ ON DUPLICATE KEY UPDATE name = ~",
      "REPLACE INTO patient VALUES (%)",
      "UPDATE LOW_PRIORITY patient SET patient.name = ~, age = # WHERE id = # ORDER BY # LIMIT #",
      "DELETE FROM patient WHERE id = # LIMIT # RETURNING name",
      "WITH w AS (SELECT * FROM patient WHERE id = #) SELECT * FROM w",
      "(SELECT name FROM patient WHERE id = #) UNION (SELECT name FROM patient WHERE id = #)",
      "CREATE TABLE t (a varchar(#) DEFAULT ~) COMMENT ~",
      "CREATE TABLE t AS SELECT * FROM patient WHERE id = #",
      "CREATE VIEW v AS SELECT name FROM patient WHERE id = # AND x = 'table'",
      "SET sql_mode = ~",
      "SET @a = #",
      "CALL p(#, ~)",
      "HANDLER patient READ FIRST LIMIT #",
      "LOCK TABLES patient READ",
      "SELECT #a, 1e#, .#, #. FROM patient WHERE id=#and name=~",
      "SELECT 'a\\'b', 'x\\\\', ~ FROM patient WHERE id = #",
      "TRUNCATE patient",
      "EXECUTE q USING @a",
  };

  std::string number() {
    static constexpr std::string_view kNumbers[] = {"0",          "1",          "2",   "3",    "5",     "42",    "007", "2147483647", "2147483648", "-1",
                                                    "9999999999", "0000000000", "1.5", "4e1",  "1E+2",  ".5",    "3.", "12345678901234567890"};
    return below(4) == 0 ? std::string(kNumbers[below(std::size(kNumbers))]) : std::to_string(below(50));
  }

  std::string string() {
    static constexpr std::string_view kStrings[] = {"''",         "'a'",      "'Anna Berg'", "'O''Brien'", "'%'",     "'abc%'", "'_a'",   "'1'",
                                                    "'{1,2}'",    "'a\\b'",   "'a\\''",      "'--'",       "'/* x'",  "'$1'",   "'Jürgen'", "'\xff'",
                                                    "'\x01'",     "'\x05'",   "'a\nb'",      "E'a\\'b'",   "E'ab'",   "$$a'b$$", "$t$it's$t$", "U&'\\0061'",
                                                    "'2024-01-01'", "','",    "'true'",      "'null'",     "'table'", "' '",    "'DE'",   "'ä'"};
    return std::string(kStrings[below(std::size(kStrings))]);
  }

  std::string constant() { return below(2) == 0 ? number() : string(); }

  std::string fill(std::string_view form) {
    std::string out;
    for (const char c : form) {
      if (c == '#') out += number();
      else if (c == '~') out += string();
      else if (c == '@' && below(8) != 0) out += constant();
      else if (c == '%') {
        const std::size_t n = 1 + below(4);
        for (std::size_t i = 0; i < n; ++i) out += (i > 0 ? ", " : "") + constant();
      } else {
        out += c;
      }
    }
    return out;
  }

  // A piece is taken out, doubled or put elsewhere.
  void spoil(std::string& text) {
    const std::size_t from = below(text.size()), length = 1 + below(std::min<std::size_t>(6, text.size() - from));
    const std::string piece = text.substr(from, length);
    switch (below(4)) {
      case 0: text.erase(from, length); break;
      case 1: text.insert(below(text.size()), piece); break;
      case 2: text[from] = "'\"\\-/*$.;()0aEe\n#`@ "[below(20)]; break;
      default: text.insert(from, constant()); break;
    }
  }

  template <std::size_t N>
  std::string make(const std::string_view (&forms)[N], bool mysql) {
    std::string out = fill(forms[below(N)]);
    if (!mysql && below(10) == 0) out += " /*traceparent='00-" + std::to_string(below(1000)) + "'*/";
    while (below(6) == 0 && !out.empty()) spoil(out);
    return out;
  }

  std::uint64_t state_;
};

}  // namespace tocsin::engine::sql
