tocsin_fuzz(fuzz_sigma SOURCES ${CMAKE_CURRENT_LIST_DIR}/sigma_fuzz.cpp LINKS tocsin_sigma_oracle tocsin_sigma tocsin_json_event)
