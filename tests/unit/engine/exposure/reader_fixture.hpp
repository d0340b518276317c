// A reader with a register of five patients, and statements as pgaudit logs them, written by hand.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "engine/exposure/reader.hpp"
#include "storage/register_store.hpp"
#include "tests/unit/engine/exposure/restarting.hpp"

namespace tocsin::engine {

inline constexpr std::uint64_t kUncounted = UINT64_MAX;

class Exposure : public testing::Test {
 protected:
  Exposure() {
    std::istringstream csv(
        "id,name,email,country\n1,Anna,a@example.org,DE\n2,Bela,b@example.org,FR\n3,Cara,c@example.org,DE\n"
        "4,Dina,d@example.org,IT\n5,Emil,e@example.org,DE\n");
    storage::ImportOptions options;
    options.dataset = "patient";
    options.as_of = now_;
    EXPECT_TRUE(storage::import_register(csv, options, registers_));
    reader_ = std::make_unique<ExposureReader>(map(), registers_, ExposureReader::Options{});
    now_ += std::chrono::hours(2);
  }

  static DatasetMap map() {
    DatasetMap out;
    out.add({"patient", "id", {{"patient", "id"}, {"visit", "patient_id"}}, {{"email", "contact"}}});
    return out;
  }

  // One pgaudit line.
  Access line(std::string command, std::string text, std::uint64_t rows = kUncounted, std::string relation = "") {
    Access a;
    now_ += std::chrono::milliseconds(10);
    a.time = now_;
    a.time_known = true;
    a.origin = {"db", "log", ++line_, 0};
    a.actor.account = "mallory";
    a.actor.session = session_;
    a.outcome = Outcome::kSuccess;
    a.statement.command = command;
    a.statement.audit_class = command == "SELECT" || command == "COPY" ? "READ" : command == "INSERT" || command == "UPDATE" || command == "DELETE" ? "WRITE" : "MISC";
    a.statement.text = std::move(text);
    a.statement.parameters_known = true;
    a.statement.number = ++number_;
    if (!relation.empty()) {
      a.statement.relation = "public." + relation;
      a.statement.relation_type = "TABLE";
      a.resource.dataset = relation;
    }
    if (rows != kUncounted) a.rows = {rows, Certainty::kExact};
    return a;
  }

  std::vector<Reach> read(Access a) {
    std::vector<Reach> out;
    perhaps_restart(reader_, [&] { return std::make_unique<ExposureReader>(reader_->map(), registers_, ExposureReader::Options{}); });
    reader_->read(a, out);
    last_ = std::move(a);
    return out;
  }

  // "exact 1,3 1..2 select": grade, people (or "all N"), interval, way.
  std::string show(const std::vector<Reach>& reaches) const {
    std::string out;
    for (const Reach& r : reaches) {
      if (!out.empty()) out += "; ";
      out += std::string(name(r.grade)) + " ";
      if (r.whole) out += "all " + std::to_string(r.known);
      const auto* people = registers_.find(r.dataset);
      for (std::size_t i = 0; i < r.people.size(); ++i) out += (i > 0 ? "," : "") + people->at(r.people[i]).id;
      out += " " + (r.at_least ? std::to_string(*r.at_least) : "?") + ".." + (r.at_most ? std::to_string(*r.at_most) : "?");
      out += " " + r.way;
    }
    return out;
  }
  std::string select(std::string text, std::uint64_t rows, std::string relation = "patient") {
    return show(read(line("SELECT", std::move(text), rows, std::move(relation))));
  }

  Time now_ = *parse_rfc3339("2026-11-23T12:00:00Z");
  std::uint64_t line_ = 0, number_ = 0;
  std::string session_ = "s1";
  storage::Registers registers_{storage::process_hash()};
  std::unique_ptr<ExposureReader> reader_;
  Access last_;
};

}  // namespace tocsin::engine
