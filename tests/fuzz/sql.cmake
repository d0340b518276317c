tocsin_fuzz(fuzz_sql SOURCES ${CMAKE_CURRENT_LIST_DIR}/sql_fuzz.cpp LINKS tocsin_exposure)
