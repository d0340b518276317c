// Random SQL over people, in the words that PostgreSQL and SQLite share: a query, the query for the ids of the people in
// its rows, and what may be asked of the answer.
//
// Tables: patient(id, name, email, birth_date, country, weight, active), with NULLs and names that differ in case only,
// and visit(id, patient_id, ward), which also names people who are no longer patients.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace tocsin::oracle {

struct RandomQuery {
  std::string text;   // the query
  std::string who;    // selects the ids of the people whose rows it shows
  bool partly = false;  // `who` names those who surely are in it; others may be
  bool tight = false;  // only conditions that the register can decide: the answer must be the truth itself
};

class SqlGenerator {
 public:
  SqlGenerator(std::uint64_t seed, int people) : random_(seed), people_(people) {}

  [[nodiscard]] RandomQuery query();
  [[nodiscard]] std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }

  // The two tables, as CREATE and INSERT; and the register's CSV, as COPY writes it.
  [[nodiscard]] std::vector<std::string> tables();
  [[nodiscard]] const std::string& csv() const { return csv_; }

 private:
  std::string condition(const std::string& p, const std::string& v, int depth = 0);
  std::string about_patient(const std::string& k);
  std::string about_visit(const std::string& k);
  std::string number() { return std::to_string(1 + below(static_cast<std::size_t>(people_) + 5)); }
  std::string country();
  std::string day();
  template <std::size_t N>
  const char* one_of(const char* const (&list)[N]) { return list[below(N)]; }

  std::mt19937_64 random_;
  int people_;
  std::string csv_;
  bool tight_ = true;
};

}  // namespace tocsin::oracle
