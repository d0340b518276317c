tocsin_fuzz(fuzz_sql SOURCES ${CMAKE_CURRENT_LIST_DIR}/sql_fuzz.cpp LINKS tocsin_exposure)
tocsin_fuzz(fuzz_sql_cache SOURCES ${CMAKE_CURRENT_LIST_DIR}/sql_cache_fuzz.cpp LINKS tocsin_sql)
