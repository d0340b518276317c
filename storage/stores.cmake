tocsin_module(tocsin_history_store SOURCES history_store.cpp LINKS tocsin_base tocsin_sqlite)
tocsin_module(tocsin_alert_store SOURCES alert_store.cpp LINKS tocsin_base tocsin_sqlite tocsin_finding)
tocsin_module(tocsin_incident_store SOURCES incident_store.cpp LINKS tocsin_base tocsin_sqlite)
tocsin_module(tocsin_task_store SOURCES task_store.cpp LINKS tocsin_base tocsin_sqlite)
tocsin_module(tocsin_user_store SOURCES user_store.cpp LINKS tocsin_sqlite PRIVATE_LINKS PkgConfig::SODIUM)
tocsin_module(tocsin_notice_store SOURCES notice_store.cpp LINKS tocsin_sqlite tocsin_vault)
tocsin_module(tocsin_progress_store SOURCES progress_store.cpp LINKS tocsin_sqlite)
tocsin_module(tocsin_people SOURCES people.cpp mysql_value.cpp value_shape.cpp LINKS tocsin_base PRIVATE_LINKS PkgConfig::SODIUM)
tocsin_module(tocsin_register_store SOURCES register_store.cpp register_import.cpp register_rows.cpp
  LINKS tocsin_people tocsin_sqlite tocsin_vault PRIVATE_LINKS simdjson::simdjson)
tocsin_module(tocsin_exposure_store SOURCES exposure_answers.cpp exposure_events.cpp exposure_recent.cpp exposure_repair.cpp exposure_segments.cpp exposure_store.cpp
  LINKS tocsin_people tocsin_finding tocsin_sqlite tocsin_vault tocsin_exposure_index
  PRIVATE_LINKS tocsin_durable_file roaring::roaring)
tocsin_module(tocsin_frozen_store SOURCES frozen_store.cpp
  LINKS tocsin_sqlite tocsin_finding tocsin_exposure_index tocsin_ledger tocsin_vault)
