add_executable(bench_sql ${CMAKE_CURRENT_LIST_DIR}/sql_bench.cpp)
target_link_libraries(bench_sql PRIVATE tocsin_flags tocsin_exposure tocsin_export tocsin_register_store ${PG_QUERY_LIBRARY} benchmark::benchmark)
