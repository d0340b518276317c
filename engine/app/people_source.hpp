// The two questions about people that others ask of exposure: the workflow's (who do these alerts concern?) and the
// notifier's (who is to be told, and of what?).
#pragma once

#include "engine/exposure/datasets.hpp"
#include "engine/respond/frozen.hpp"
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
  [[nodiscard]] Result<std::vector<storage::ExposedPerson>> everybody(storage::Reader& reader, std::span<const storage::Scope> scopes) const override;
  [[nodiscard]] Result<storage::PeopleByDataset> listed(storage::Reader& reader, std::span<const storage::Scope> scopes) const override;
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
  IncidentsForNotices(storage::Database& db, const Respond& respond, const FrozenPeople& frozen, const ExposedPeople& people, Organisation organisation)
      : db_(db), respond_(respond), frozen_(frozen), people_(people), organisation_(std::move(organisation)) {}

  [[nodiscard]] Result<notifier::NoticeFacts> facts(std::int64_t incident) override;
  // Those of the frozen sets; while nothing is frozen, everyone whom the incident concerns now.
  [[nodiscard]] Result<std::vector<notifier::Recipient>> recipients(std::int64_t incident) override;
  [[nodiscard]] Result<std::vector<notifier::Recipient>> freeze(storage::Transaction& tx, std::int64_t incident, std::int64_t notice,
                                                                const std::string& by, Time now) override;

 private:
  [[nodiscard]] Result<std::vector<notifier::Recipient>> frozen_recipients(storage::Reader& reader, std::int64_t incident) const;
  [[nodiscard]] notifier::Recipient recipient(const storage::Pseudonym& pseudonym, const std::string& dataset, storage::Grade grade,
                                              const std::vector<std::string>& fields) const;
  storage::Database& db_;
  const Respond& respond_;
  const FrozenPeople& frozen_;
  const ExposedPeople& people_;
  Organisation organisation_;
};

}  // namespace tocsin::engine
