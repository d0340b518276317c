// The two questions about people that others ask of exposure: the workflow's (who do these alerts concern?) and the
// notifier's (who is to be told, and of what?).
#pragma once

#include "engine/exposure/datasets.hpp"
#include "engine/respond/people.hpp"
#include "engine/respond/respond.hpp"
#include "notifier/dispatch/notices.hpp"
#include "storage/exposure_store.hpp"

namespace tocsin::engine {

// Answers from storage/exposure_store. Thread-safe.
class ExposedPeople final : public PeopleSource {
 public:
  explicit ExposedPeople(DatasetMap datasets) : datasets_(std::move(datasets)) {}

  [[nodiscard]] Result<PeopleSummary> summary(storage::Reader& reader, std::span<const storage::Scope> scopes) const override;
  [[nodiscard]] Result<std::vector<PersonReached>> page(storage::Reader& reader, std::span<const storage::Scope> scopes,
                                                        std::size_t offset, std::size_t limit) const override;
  [[nodiscard]] Result<std::vector<std::string>> pseudonyms(storage::Reader& reader, std::span<const storage::Scope> scopes) const override;

  // Everyone in these scopes, once: best grade, all fields. Ordered by grade, dataset, pseudonym.
  [[nodiscard]] Result<std::vector<storage::ExposedPerson>> everyone(storage::Reader& reader, std::span<const storage::Scope> scopes) const;
  [[nodiscard]] const DatasetMap& datasets() const noexcept { return datasets_; }

 private:
  DatasetMap datasets_;
};

// What a notice needs to know of an incident.
class IncidentsForNotices final : public notifier::IncidentSource {
 public:
  struct Organisation {
    std::string name, contact, phone, website;
  };
  IncidentsForNotices(storage::Database& db, const Respond& respond, const ExposedPeople& people, Organisation organisation)
      : db_(db), respond_(respond), people_(people), organisation_(std::move(organisation)) {}

  [[nodiscard]] Result<notifier::NoticeFacts> facts(std::int64_t incident) override;
  [[nodiscard]] Result<std::vector<notifier::Recipient>> recipients(std::int64_t incident) override;

 private:
  storage::Database& db_;
  const Respond& respond_;
  const ExposedPeople& people_;
  Organisation organisation_;
};

}  // namespace tocsin::engine
