# The library as its users meet it: installed somewhere, found by find_package, linked by the example, run.
# cmake -DBUILD=… -DSOURCE=… -DWORK=… [-DFLAGS=…] -P example.cmake
function(step name)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${name} failed (${status}):\n${output}")
  endif()
endfunction()

file(REMOVE_RECURSE ${WORK})
step(install ${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/installed --component library)
step(configure ${CMAKE_COMMAND} -G Ninja -S ${SOURCE}/ops/examples/sigma -B ${WORK}/build -DCMAKE_PREFIX_PATH=${WORK}/installed
  -DCMAKE_CXX_COMPILER=${CXX} "-DCMAKE_CXX_FLAGS=${FLAGS} -Wall -Wextra -Werror")
step(build ${CMAKE_COMMAND} --build ${WORK}/build)

file(WRITE ${WORK}/rule.yml [[
title: Trail stopped
logsource: {product: aws, service: cloudtrail}
detection:
  stop: {eventName: StopLogging}
  condition: stop
]])
file(WRITE ${WORK}/events.ndjson [[
{"eventVersion":"1.08","eventSource":"cloudtrail.amazonaws.com","eventName":"StopLogging"}
{"eventVersion":"1.08","eventSource":"s3.amazonaws.com","eventName":"GetObject"}
]])
execute_process(COMMAND ${WORK}/build/sigma_example ${WORK}/rule.yml INPUT_FILE ${WORK}/events.ndjson
  OUTPUT_VARIABLE output RESULT_VARIABLE status)
set(expected "Trail stopped; eventName is \"stoplogging\"\n")
if(NOT status EQUAL 0 OR NOT output STREQUAL expected)
  message(FATAL_ERROR "the example said (${status}):\n${output}instead of:\n${expected}")
endif()
# Nothing of the source tree may be needed: the installed files must not point into it.
file(GLOB_RECURSE package ${WORK}/installed/*.cmake)
foreach(file ${package})
  file(READ ${file} text)
  string(FIND "${text}" "${SOURCE}" at)
  if(NOT at EQUAL -1)
    message(FATAL_ERROR "${file} names the source tree")
  endif()
endforeach()
