add_executable(bench_secrets ${CMAKE_CURRENT_LIST_DIR}/secrets_bench.cpp)
target_compile_definitions(bench_secrets PRIVATE TOCSIN_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
target_link_libraries(bench_secrets PRIVATE tocsin_flags tocsin_secrets tocsin_keys PkgConfig::RE2 benchmark::benchmark_main Threads::Threads)
