tocsin_fuzz(fuzz_secrets_rules SOURCES ${CMAKE_CURRENT_LIST_DIR}/secrets_rules_fuzz.cpp LINKS tocsin_secrets)
tocsin_fuzz(fuzz_secrets_extract SOURCES ${CMAKE_CURRENT_LIST_DIR}/secrets_extract_fuzz.cpp LINKS tocsin_secrets)
tocsin_fuzz(fuzz_secrets_values SOURCES ${CMAKE_CURRENT_LIST_DIR}/secrets_values_fuzz.cpp LINKS tocsin_secrets)
tocsin_fuzz(fuzz_law SOURCES ${CMAKE_CURRENT_LIST_DIR}/law_fuzz.cpp LINKS tocsin_law)
