tocsin_bench(bench_pipeline SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/bench/pipeline_bench.cpp LINKS tocsin_state tocsin_detect tocsin_dispatch)
